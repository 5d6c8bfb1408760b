# A server with Python's usual backlog of 5 that answers one request at a time, in 60 ms, and then closes: wsgiref,
# Bottle and `pelican --listen` are such servers. /page has 60 scripts.
import http.server
import sys
import time

PAGE = "<title>page</title>" + "".join(f'<script src="/{i}.js"></script>' for i in range(60))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(float(sys.argv[2]))
        kind, body = "text/plain", "ok\n"
        if self.path == "/page":
            kind, body = "text/html", PAGE
        elif self.path.endswith(".js"):
            kind, body = "text/javascript", "window.scripts = (window.scripts || 0) + 1"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(f"listens on {server.server_port}", flush=True)
server.serve_forever()
