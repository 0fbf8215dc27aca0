"""How the integration tests connect through proxies."""
import psycopg2

CONNECT_SECONDS = 15


def through(proxy, deployment, autocommit=False, **options):
    """A psycopg2 connection through a proxy."""
    options.setdefault("connect_timeout", CONNECT_SECONDS)
    connection = psycopg2.connect(host=proxy.host, port=proxy.port, user="postgres", dbname=deployment.database, **options)
    connection.autocommit = autocommit
    return connection


def connector(proxy, deployment, **options):
    """A function that connects: what Writers want."""
    return lambda: through(proxy, deployment, **options)
