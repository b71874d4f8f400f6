"""What the gateway tells its operators: logs, metrics and traces, without personal data.

requests     the ID of every request
operations   one GraphQL operation: a count, its seconds, a log line, a span, and its calls where the caller asks for them
vendors      one call to a vendor: the same
metrics      all metrics, of bounded label sets (series), counted many at a time (backlog)
exposition   GET /metrics
traces       OpenTelemetry, where a collector is configured
exports      requests to the collector that end
logs         JSON lines
"""

from app.telemetry.describe import describe
from app.telemetry.hub import Telemetry
from app.telemetry.logs import JsonLines, configure_logging
from app.telemetry.operations import Operation
from app.telemetry.requests import current_request_id, new_request_id
from app.telemetry.vendors import VendorCalls

__all__ = [
    "JsonLines",
    "Operation",
    "Telemetry",
    "VendorCalls",
    "configure_logging",
    "current_request_id",
    "describe",
    "new_request_id",
]
