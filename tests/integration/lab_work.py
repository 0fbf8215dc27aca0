"""Transaction kinds that were chosen to break write protocols: cascades, unique swaps, claims, predicates, hot rows, upserts.

Every transaction also writes its entry in `oplog` and adds one to a counter, as the ledger of what was acknowledged.
"""
SCHEMA = """
CREATE TABLE acct(id int PRIMARY KEY, bal bigint, ver int, note text);
CREATE TABLE item(sku text PRIMARY KEY, qty int, tag text);
CREATE TABLE line(a int, b int, v int, PRIMARY KEY (a, b));
CREATE TABLE uq(id int PRIMARY KEY, u text NOT NULL UNIQUE, n int);
CREATE TABLE uqc(id int PRIMARY KEY, uid int NOT NULL REFERENCES uq ON DELETE CASCADE, v int);
CREATE TABLE par(id int PRIMARY KEY, v int);
CREATE TABLE chd(id int PRIMARY KEY, pid int NOT NULL REFERENCES par ON DELETE CASCADE, v int);
CREATE TABLE nul(id int PRIMARY KEY, pid int REFERENCES par ON DELETE SET NULL, v int);
CREATE INDEX ON uqc(uid); CREATE INDEX ON chd(pid); CREATE INDEX ON nul(pid);
CREATE TABLE job(id int PRIMARY KEY, state int, worker int);
CREATE TABLE logt(id bigint PRIMARY KEY, src int, v int);
CREATE TABLE late(id int PRIMARY KEY, n int, pid int REFERENCES par DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE cnt(id int PRIMARY KEY, n int);
CREATE TABLE oplog(op uuid PRIMARY KEY, who int, level text);
CREATE SEQUENCE ids START 100000;
"""
SIZE = 300
SEED = f"""
INSERT INTO acct SELECT i, 100, 0, 'n' || i FROM generate_series(1, {SIZE * 5}) i;
INSERT INTO item SELECT 'sku' || i, 10, 't' || i % 7 FROM generate_series(1, {SIZE}) i;
INSERT INTO line SELECT i / 10, i % 10, 0 FROM generate_series(1, {SIZE}) i;
INSERT INTO uq SELECT i, 'u' || i, 0 FROM generate_series(1, {SIZE}) i;
INSERT INTO uqc SELECT i, 1 + i % {SIZE}, 0 FROM generate_series(1, {SIZE}) i;
INSERT INTO par SELECT i, 0 FROM generate_series(1, {SIZE}) i;
INSERT INTO chd SELECT i, 1 + i % {SIZE}, 0 FROM generate_series(1, {SIZE * 2}) i;
INSERT INTO nul SELECT i, 1 + i % {SIZE}, 0 FROM generate_series(1, {SIZE}) i;
INSERT INTO job SELECT i, 0, 0 FROM generate_series(1, {SIZE * 3}) i;
INSERT INTO late SELECT i, 0, NULL FROM generate_series(1, 50) i;
INSERT INTO cnt SELECT i, 0 FROM generate_series(1, 8) i;
"""


def rows(cursor, sql, *arguments):
    cursor.execute(sql, arguments)
    return cursor.fetchall()


def hot(c, r, k):
    c.execute("UPDATE acct SET bal = bal * 2 %% 1000003 + %s, ver = ver + 1 WHERE id IN (%s, %s)", (k, r.randint(1, 5), r.randint(1, SIZE * 3)))


def upsert(c, r, k):
    if r.random() < .6:
        c.execute("INSERT INTO item VALUES (%s, 1, 'new') ON CONFLICT (sku) DO UPDATE SET qty = item.qty + 1", (f"sku{k % 40}",))
    else:
        c.execute("INSERT INTO item VALUES (%s, 7, 'dn') ON CONFLICT (sku) DO NOTHING", (f"sku{k % 40}",))
    if r.random() < .3:
        c.execute("DELETE FROM item WHERE sku = %s", (f"sku{r.randint(0, 40)}",))


def predicate(c, r, k):
    c.execute("UPDATE line SET v = (v + 1) %% 5 WHERE v = %s AND a = %s", (r.randint(0, 4), r.randint(0, 9)))
    c.execute("DELETE FROM line WHERE a = %s AND b = %s AND v > 3", (r.randint(0, 9), r.randint(0, 9)))


def line_upsert(c, r, k):
    c.execute("INSERT INTO line VALUES (%s, %s, 0) ON CONFLICT (a, b) DO UPDATE SET v = line.v * 2 %% 1001 + 1", (r.randint(0, 9), r.randint(0, 9)))


def unique_swap(c, r, k):
    a, b = sorted(r.sample(range(1, 30), 2))
    held = dict(rows(c, "SELECT id, u FROM uq WHERE id IN (%s, %s) ORDER BY id FOR UPDATE", a, b))
    if len(held) == 2:
        c.execute("UPDATE uq SET u = 'tmp' || id WHERE id = %s", (a,))
        c.execute("UPDATE uq SET u = %s, n = n + 1 WHERE id = %s", (held[a], b))
        c.execute("UPDATE uq SET u = %s, n = n + 1 WHERE id = %s", (held[b], a))


def unique_move(c, r, k):
    gone = rows(c, "DELETE FROM uq WHERE id = %s RETURNING u", r.randint(1, 40))
    b = r.randint(1, 40)
    c.execute("INSERT INTO uq VALUES (%s, %s, 0) ON CONFLICT DO NOTHING", (b, gone[0][0] if gone else f"u{r.randint(1, 40)}"))
    c.execute("INSERT INTO uqc SELECT %s, id, 1 FROM uq WHERE id = %s ON CONFLICT (id) DO UPDATE SET uid = excluded.uid", (k, b))


def family(c, r, k):
    p, x = r.randint(1, 30), r.random()
    if x < .35:
        c.execute("DELETE FROM par WHERE id = %s", (p,))
    if x < .15 or x > .7:
        c.execute("INSERT INTO par VALUES (%s, 1) ON CONFLICT (id) DO UPDATE SET v = par.v + 1", (p,))
    if x > .1:
        c.execute("INSERT INTO chd SELECT %s, id, 2 FROM par WHERE id = %s ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, v = chd.v + 1", (k, p))
        c.execute("INSERT INTO nul SELECT %s, id, 2 FROM par WHERE id = %s ON CONFLICT (id) DO UPDATE SET pid = excluded.pid", (k, p))
    if x > .9:
        c.execute("UPDATE chd SET v = v + 1 WHERE pid = %s", (r.randint(1, 30),))


def claim(c, r, k):
    c.execute("UPDATE job SET state = 1, worker = %s WHERE id IN (SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED)", (k,))
    c.execute("UPDATE job SET state = 0 WHERE state = 1 AND id = %s", (r.randint(1, SIZE * 3),))


def insert_select(c, r, k):
    c.execute("INSERT INTO logt SELECT nextval('ids'), a.ver, a.bal FROM acct a JOIN cnt ON cnt.id = 1 WHERE a.id IN (%s, %s)", (r.randint(1, 5), k))
    if r.random() < .3:
        c.execute("DELETE FROM logt WHERE id IN (SELECT id FROM logt ORDER BY id LIMIT 1)")


def key_moves(c, r, k):
    gone = rows(c, "DELETE FROM acct WHERE id = %s RETURNING bal", SIZE * 3 + k)
    if gone:
        c.execute("INSERT INTO acct VALUES (%s, %s, 0, 'moved') ON CONFLICT (id) DO NOTHING", (SIZE * 3 + r.randint(1, SIZE), gone[0][0]))
    elif r.random() < .7:
        c.execute("INSERT INTO acct VALUES (%s, 5, 0, 'again') ON CONFLICT (id) DO UPDATE SET ver = acct.ver + 1", (SIZE * 3 + k,))


def churn(c, r, k):
    at = r.randint(1, 12)
    if r.random() < .5:
        c.execute("DELETE FROM job WHERE id = %s", (at,))
    else:
        c.execute("INSERT INTO job VALUES (%s, 7, 1) ON CONFLICT DO NOTHING", (at,))


def savepoint(c, r, k):
    c.execute("UPDATE acct SET ver = ver + 1 WHERE id = %s", (10 + k,))
    c.execute("SAVEPOINT a")
    c.execute("UPDATE acct SET ver = ver + 100 WHERE id = %s", (10 + k,))
    c.execute("DELETE FROM item WHERE sku = %s", (f"sku{k}",))
    c.execute("ROLLBACK TO SAVEPOINT a")
    c.execute("UPDATE acct SET bal = bal + 1 WHERE id = %s", (10 + k,))


def deferred(c, r, k):
    """Fails at COMMIT now and then: the parent is sometimes not there."""
    c.execute("INSERT INTO late VALUES (%s, 1, %s) ON CONFLICT (id) DO UPDATE SET n = late.n + 1, pid = excluded.pid", (k % 50, r.randint(1, 31)))


KINDS = [hot, hot, upsert, upsert, predicate, line_upsert, unique_swap, unique_move, family, family, claim, insert_select, key_moves, churn,
         savepoint, deferred]
