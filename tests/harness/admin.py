"""HTTP client of the admin port."""
import http.client
import json

REQUEST_SECONDS = 30


class Admin:
    def __init__(self, host, port, token):
        self.host, self.port, self.token = host, port, token

    def request(self, method, path, body=None, token=True, timeout=REQUEST_SECONDS):
        """(status, text). Connection errors are the caller's."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def json(self, path):
        status, text = self.get(path)
        assert status == 200, f"GET {path}: {status} {text}"
        return json.loads(text)

    def is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def metrics(self):
        """{name{labels}: value} of the Prometheus text."""
        found = {}
        for line in self.get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, number = line.rpartition(" ")
                found[name] = float(number)
        return found

    def metric(self, name):
        """Sum over all labels of a metric."""
        return sum(v for k, v in self.metrics().items() if k == name or k.startswith(name + "{"))
