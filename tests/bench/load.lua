-- wrk's part: asks the bodies of a file in turn, and counts every answer that is not of the size that was checked.
local bodies, requests, turn = {}, {}, 0
local threads = {}
wrong = 0

for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local size = tonumber(os.getenv("SIZE"))

function setup(thread) threads[#threads + 1] = thread end

function init()
  wrk.headers["content-type"] = "application/json"
  wrk.headers["accept"] = "application/json"
  for index, body in ipairs(bodies) do requests[index] = wrk.format("POST", "/graphql", wrk.headers, body) end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, _, body)
  if status ~= 200 or #body ~= size then wrong = wrong + 1 end
end

function done(summary, latency)
  local errors, off = summary.errors, 0
  for _, thread in ipairs(threads) do off = off + thread:get("wrong") end
  off = off + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("RESULT %d %d %.1f %.1f %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), off))
end
