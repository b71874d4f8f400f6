"""The one list of vendors."""

from app.vendor import VendorSpec
from app.vendors import architect, artu, bird, reevo

VENDORS: tuple[VendorSpec, ...] = (architect.SPEC, bird.SPEC, artu.SPEC, reevo.SPEC)
