-- Flatnet's routing inside nginx, once per worker. It reads routes.json, which
-- flatnet-tui swaps as a whole, so that a container's new address needs no
-- reload; it leaves out servers that do not take connections, and says 503
-- with a page where none is left.
--
-- Called as chunk(key, home): key is its name in package.loaded, home the
-- folder that it and routes.json are in.

local key, home = ...
local json = require "cjson.safe"
local balancer = require "ngx.balancer"
local bit = require "bit"

local LOOK_EVERY = 0.2 -- seconds between two looks at the table
local PROBE_EVERY = 1 -- seconds between two rounds of connections to all servers
local TAKE_OVER = 5 -- seconds of silence of the worker that probes
local PROBE_TIMEOUT = 1000 -- milliseconds
local FAILURES = 2 -- connections refused in a row before a server is left out
local FORGET = 15 -- seconds after which an old verdict no longer counts
local SIDE_BY_SIDE = 32 -- connections tried at a time
local HEAD = 64 -- bytes that differ between any two tables

local verdicts = ngx.shared.flatnet_health
local table_now = { generation = 0, hosts = {}, closed = {}, page = "" }
local head_now, last_look = nil, 0
local probing, timer_started = false, false
local turn = 0
local M = {}

local function look()
    ngx.update_time() -- nginx's clock stands still while a busy worker waits its turn
    local now = ngx.now()
    if now >= last_look and now < last_look + LOOK_EVERY then
        return -- a clock that was set back makes it look, not wait
    end
    last_look = now
    local file = io.open(home .. "/routes.json", "rb")
    if not file then
        return -- being replaced: the table at hand goes on
    end
    local head = file:read(HEAD)
    local rest = head ~= head_now and file:read("*a")
    file:close()
    if not head or not rest then
        return
    end
    local new, err = json.decode(head .. rest)
    if not new then
        ngx.log(ngx.ERR, "flatnet: routes.json is not whole: ", err)
        return
    end
    table_now, head_now = new, head
end

local function starts_with(s, prefix)
    return s:sub(1, #prefix) == prefix
end

-- The routes of a host come longest path first.
local function find()
    local host = table_now.hosts[ngx.var.host]
    if not host then
        return nil
    end
    local uri = ngx.var.uri
    for _, route in ipairs(host.routes) do
        if starts_with(uri, route.path) then
            return route, host
        end
    end
    return nil, host
end

local function current()
    local route = ngx.ctx.flatnet_route
    if not route then -- another location, such as one with a body limit
        route = find()
        ngx.ctx.flatnet_route = route
    end
    return route
end

local function down_since(server)
    return verdicts:get("down " .. server.address)
end

local function alive(route)
    local list = {}
    for _, server in ipairs(route.servers) do
        if not down_since(server) then
            list[#list + 1] = server
        end
    end
    return list
end

local function say(status, content_type, text)
    ngx.req.discard_body()
    ngx.status = status
    ngx.header["Content-Type"] = content_type
    ngx.print(text)
    return ngx.exit(ngx.HTTP_OK)
end

local function redirect(url)
    ngx.ctx.flatnet_page = true
    return ngx.redirect(url, 301)
end

local function page(title, message, since)
    local words = { title = title, message = message, since = since }
    ngx.ctx.flatnet_page = true
    ngx.header["Retry-After"] = "15"
    ngx.header["Cache-Control"] = "no-store"
    return say(503, "text/html; charset=utf-8", (table_now.page:gsub("@(%l+)@", words)))
end

local function down_page(route)
    local latest = 0
    for _, server in ipairs(route.servers) do
        latest = math.max(latest, down_since(server) or 0)
    end
    local since = route.since
    if since == "" and latest > 0 then
        since = "Since <time datetime='" .. os.date("!%Y-%m-%dT%H:%M:%SZ", latest) .. "'>"
            .. os.date("!%Y-%m-%d %H:%M", latest) .. " UTC</time>."
    elseif since == "" then
        since = "It did not answer just now."
    end
    return page(route.down_title, route.down_message, since)
end

local function nowhere()
    return say(404, "text/plain; charset=utf-8", table_now.nowhere)
end

-- Compares an address as nginx has it (4 or 16 bytes) with networks.
local function in_network(address, network)
    local bytes = network.bytes
    if #address ~= #bytes then
        return false
    end
    for i = 1, #bytes do
        local bits = math.max(0, math.min(8, network.bits - (i - 1) * 8))
        local mask = bit.band(bit.lshift(0xff, 8 - bits), 0xff)
        if bit.band(address:byte(i), mask) ~= bit.band(bytes[i], mask) then
            return false
        end
    end
    return true
end

local function allowed(route)
    if #route.allow == 0 then
        return true
    end
    for _, network in ipairs(route.allow) do
        if in_network(ngx.var.binary_remote_addr, network) then
            return true
        end
    end
    return false
end

-- Health -------------------------------------------------------------------

local function judge(address, ok)
    local failures, down = "failures " .. address, "down " .. address
    if ok then
        verdicts:delete(failures)
        verdicts:delete(down)
        return
    end
    local count = verdicts:incr(failures, 1, 0, FORGET) or 0
    if count >= FAILURES then
        verdicts:set(down, math.min(verdicts:get(down) or math.huge, ngx.time()), FORGET)
    end
end

local function probe_some(list, first)
    for i = first, #list, SIDE_BY_SIDE do
        local socket = ngx.socket.tcp()
        socket:settimeout(PROBE_TIMEOUT)
        local ok = socket:connect(list[i].ip, list[i].port)
        if ok then
            socket:close()
        end
        judge(list[i].address, ok)
    end
end

local function servers()
    local list, seen = {}, {}
    for _, host in pairs(table_now.hosts) do
        for _, route in ipairs(host.routes) do
            for _, server in ipairs(route.servers) do
                if not seen[server.address] then
                    seen[server.address] = true
                    list[#list + 1] = server
                end
            end
        end
    end
    return list
end

-- One worker probes for all: the last one that said so. Another takes over
-- where that is long ago, or in the future: the clock was set back.
local function is_prober()
    local me, now = ngx.worker.pid(), ngx.now()
    local at = verdicts:get("probed at") or 0
    if verdicts:get("prober") ~= me and math.abs(now - at) < TAKE_OVER then
        return false
    end
    verdicts:set("prober", me)
    verdicts:set("probed at", now)
    return true
end

local function probe_all(premature)
    if premature or probing or ngx.worker.exiting() or not is_prober() then
        return
    end
    probing = true
    look()
    local list, threads = servers(), {}
    for first = 1, math.min(SIDE_BY_SIDE, #list) do
        threads[first] = ngx.thread.spawn(probe_some, list, first)
    end
    for _, thread in ipairs(threads) do
        ngx.thread.wait(thread)
    end
    probing = false
end

local function begin()
    look()
    if not timer_started then
        timer_started = ngx.timer.every(PROBE_EVERY, probe_all)
    end
end

-- Called from flatnet.conf -------------------------------------------------

function M.route()
    begin()
    local route, host = find()
    if not host and ngx.var.uri == "/health" then
        return M.health() -- asked by the gateway's address
    end
    if not host then
        return nowhere()
    end
    if host.tls and ngx.var.scheme == "http" then
        return redirect("https://" .. ngx.var.host .. ngx.var.request_uri)
    end
    if not route then
        return nowhere()
    end
    ngx.ctx.flatnet_route = route
    if route.maintenance then
        return page(route.busy_title, route.busy_message, "")
    end
    if route.redirect ~= "" then
        return redirect(route.redirect)
    end
    if #alive(route) == 0 then
        return down_page(route)
    end
    if not allowed(route) then
        return ngx.exit(403)
    end
    if route.auth ~= "" then
        ngx.var.flatnet_realm, ngx.var.flatnet_auth = ngx.var.host, route.auth
    end
    if not route.websocket then
        ngx.var.flatnet_upgrade = ""
    end
    if route.max_body > 0 then
        if (tonumber(ngx.var.http_content_length) or 0) > route.max_body then
            return ngx.exit(413)
        end
        return ngx.exec("@flatnet_body_" .. route.body_limit)
    end
end

function M.balance()
    local route = current()
    if not route then
        return ngx.exit(502)
    end
    local try = ngx.ctx.flatnet_try
    if not try then
        turn = turn + 1
        try = { list = alive(route), at = turn }
        ngx.ctx.flatnet_try = try
        if #try.list > 1 then
            balancer.set_more_tries(#try.list - 1)
        end
    else
        judge(try.server.address, false)
        try.at = try.at + 1
    end
    if #try.list == 0 then
        return ngx.exit(502)
    end
    try.server = try.list[try.at % #try.list + 1]
    balancer.set_timeouts(route.connect_timeout, route.read_timeout, route.read_timeout)
    local ok, err = balancer.set_current_peer(try.server.ip, try.server.port)
    if not ok then
        ngx.log(ngx.ERR, "flatnet: ", try.server.address, ": ", err)
        return ngx.exit(502)
    end
end

-- A site's headers are for its answers, not for Flatnet's pages and redirects.
function M.headers()
    local route = current()
    if not route or ngx.ctx.flatnet_page then
        return
    end
    for name, value in pairs(route.headers) do
        ngx.header[name] = value
    end
end

function M.no_answer()
    local route = current()
    if not route then
        return nowhere()
    end
    return down_page(route)
end

-- A site that asks for a password or for certain clients is not to be had by
-- its address without.
function M.direct()
    begin()
    if table_now.closed[ngx.var.flatnet_ip] then
        return nowhere()
    end
end

function M.health()
    begin()
    ngx.header[table_now.generation_header or "X-Flatnet-Generation"] = tostring(table_now.generation)
    return say(200, "text/plain", "OK\n")
end

package.loaded[key] = M
return M
