"""The shop: its schema, its first rows, and rows for every column type."""
import os

SCHEMA = open(os.path.join(os.path.dirname(__file__), "shop.sql"), encoding="utf-8").read()


def seed(customers=200, products=50, jobs=300):
    """SQL that fills the shop; deterministic, so that both databases can be given the same."""
    return f"""
SET search_path = shop;
SELECT setseed(0.5);
INSERT INTO customer(id, mail, name, tags, profile, seen_at)
  SELECT md5('c' || i)::uuid, 'c' || i || '@example.org', 'Name ' || i, ARRAY['t' || i % 5, 'é,"{{'], jsonb_build_object('n', i, 'f', i / 3.0),
  '2026-01-01 00:00:00.123456+00'::timestamptz + i * interval '1 minute' FROM generate_series(1, {customers}) i;
INSERT INTO product(sku, price, weight, picture, score)
  SELECT 'sku' || i, ('EUR', i / 7.0)::money_amount, i / 3.0, decode(md5(i::text), 'hex'), i / 3.0 FROM generate_series(1, {products}) i;
INSERT INTO stock SELECT i, 1000, 0 FROM generate_series(1, {products}) i;
INSERT INTO orders(customer_id, state, placed_at) SELECT md5('c' || i)::uuid, 'paid', '2026-01-02'::timestamptz + i * interval '1 second'
  FROM generate_series(1, {customers}) i;
INSERT INTO order_line SELECT i, l, 1 + (i + l) % {products}, 1 + l, i / 9.0 FROM generate_series(1, {customers}) i, generate_series(1, 3) l;
INSERT INTO review(order_id, stars, body) SELECT i, 1 + i % 5, 'fine ' || i FROM generate_series(1, {customers}, 2) i;
INSERT INTO job(state, worker, payload, due) SELECT 0, NULL, '{{"a":  1}}', '2026-01-01' FROM generate_series(1, {jobs}) i;
INSERT INTO event SELECT i, '2025-12-30'::date + i % 5, (ARRAY['click', 'view', 'buy'])[1 + i % 3], jsonb_build_object('i', i) FROM generate_series(1, 100) i;
INSERT INTO reading SELECT md5('d' || i % 4)::uuid, '2026-01-01'::timestamptz + i * interval '1 second', i / 7.0 FROM generate_series(1, 100) i;
RESET search_path;
"""


# column -> literals worth a row each; every literal is a complete SQL expression. NULL is tried for all of them.
VALUES = {
    "c_bool": ["true", "false"],
    "c_int2": ["-32768", "32767"],
    "c_int4": ["-2147483648", "2147483647"],
    "c_int8": ["-9223372036854775808", "9223372036854775807"],
    "c_numeric": ["'NaN'", "'Infinity'", "1e-30", "12345678901234567890.1234567890", "0.00", "1.10"],
    "c_numeric_10_3": ["1234567.891", "-0.001"],
    "c_real": ["'NaN'", "'-Infinity'", "0.1", "1.17549435e-38", "3.4028235e38", "'-0'"],
    "c_double": ["'NaN'", "'Infinity'", "0.1", "1.0/3", "5e-324", "1.7976931348623157e308", "'-0'"],
    "c_money": ["'1234.56'", "'-0.01'"],
    "c_text": ["''", "'plain'", "'quote '' double \" back\\slash'", "'tab\tline\nend'", "'äöü 漢字 🙂'", "'NULL'", "'(a,b)'", "repeat('x', 10000)"],
    "c_varchar": ["'  spaces  '"],
    "c_char": ["'ab'", "'abcde'"],
    "c_internal_char": ["'x'", "''"],
    "c_name": ["'some_name'"],
    "c_bytea": ["''::bytea", "'\\x00ff5c27'", "decode(repeat('00ff', 3000), 'hex')"],
    "c_date": ["'0044-03-15 BC'", "'infinity'", "'2026-02-28'"],
    "c_time": ["'23:59:59.999999'", "'24:00:00'"],
    "c_timetz": ["'12:00:00.5+05:30'"],
    "c_timestamp": ["'2026-03-29 02:30:00.000001'", "'-infinity'"],
    "c_timestamptz": ["'2026-10-25 02:30:00.123456+02'", "'0001-01-01 00:00:00+00 BC'", "'infinity'"],
    "c_interval": ["'1 year -2 mons 3 days -04:05:06.789'", "'0'", "'-1 day +1 hour'"],
    "c_uuid": ["'00000000-0000-0000-0000-000000000000'"],
    "c_json": ["'{\"b\": 1,  \"a\": [1, 2.0], \"a\": null}'", "'\"text\"'"],
    "c_jsonb": ["'{\"b\": 1, \"a\": [1, 2.10], \"x\": {\"é\": \"\\u00e9\"}}'", "'null'", "'1e2'"],
    "c_inet": ["'192.168.1.5/24'", "'::1'"],
    "c_cidr": ["'10.0.0.0/8'"],
    "c_macaddr": ["'08:00:2b:01:02:03'"],
    "c_macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "c_bit": ["B'10101'"],
    "c_varbit": ["B''", "B'1'"],
    "c_oid": ["4294967295"],
    "c_regclass": ["'pg_class'"],
    "c_pg_lsn": ["'16/B374D848'"],
    "c_tsvector": ["'a:1A fat:2B,4C cat:5D'"],
    "c_tsquery": ["'fat & !(rat | cat:B)'"],
    "c_point": ["'(1.1,-0.3)'"],
    "c_line": ["'{1,2.5,-3}'"],
    "c_lseg": ["'[(0,0),(1.5,1)]'"],
    "c_box": ["'(2,2),(0.1,0)'"],
    "c_path": ["'((0,0),(1,1),(2,0.3))'", "'[(0,0),(1,1)]'"],
    "c_polygon": ["'((0,0),(1,1),(2,0.1))'"],
    "c_circle": ["'<(0.1,0.2),3>'"],
    "c_int4range": ["'empty'", "'[1,5)'", "'(,)'"],
    "c_numrange": ["'(1.50,2.0]'"],
    "c_tstzrange": ["'[2026-01-01 00:00+00,infinity)'"],
    "c_int4multirange": ["'{[1,3),[7,9)}'", "'{}'"],
    "c_enum": ["'back'"],
    "c_domain": ["'a@b'"],
    "c_composite": ["ROW('EUR', 1.5)", "ROW(NULL, NULL)", "ROW('a\"b', -1)"],
    "c_ints": ["'{}'", "'{1,NULL,-3}'", "'[0:2]={7,8,9}'"],
    "c_matrix": ["'{{1,2},{3,4}}'"],
    "c_texts": ["ARRAY['', 'NULL', NULL, 'a,b', 'q\"q', 'b\\s', '{x}']"],
    "c_stamps": ["ARRAY['2026-01-01 00:00+00'::timestamptz, NULL]"],
    "c_floats": ["ARRAY[0.1, 'NaN', 1e-310]::float8[]"],
    "c_enums": ["'{new,back}'"],
    "c_composites": ["ARRAY[ROW('USD', 2), NULL]::shop.money_amount[]"],
    "c_blobs": ["ARRAY['\\x00'::bytea, '\\x']"],
}

# table -> (columns of the key, rows as SQL tuples "(key…, v)"), all of them keys of another shape
KEYS = {
    "shop.key_text": ("k", ["'a', 1", "'', 2", "'ä \" '' \\', 3", "'Ä', 4", "'NULL', 5"]),
    "shop.key_numeric": ("k", ["1.0, 1", "2.50, 2", "'NaN', 3", "-1e20, 4"]),
    "shop.key_timestamptz": ("k", ["'2026-10-25 02:30:00.123456+02', 1", "'infinity', 2", "'0001-01-01 BC', 3"]),
    "shop.key_bytea": ("k", ["'\\x', 1", "'\\x00ff', 2", "'\\x5c27', 3"]),
    "shop.key_enum": ("k", ["'new', 1", "'back', 2"]),
    "shop.key_date": ("k", ["'2026-01-31', 1", "'-infinity', 2"]),
    "shop.key_inet": ("k", ["'10.0.0.1/24', 1", "'::1', 2"]),
    "shop.key_domain": ("k", ["'a@b', 1", "'c@d', 2"]),
    "shop.key_array": ("k", ["'{1,2}', 1", "'{}', 2", "'{NULL}', 3"]),
    "shop.key_bool": ("k, n", ["true, 1, 1", "false, 1, 2"]),
    "shop.key_float": ("k", ["0.1, 1", "'NaN', 2", "1e-310, 3", "'-Infinity', 4"]),
    "shop.key_interval": ("k", ["'1 mon', 1", "'-04:05:06.789', 2"]),
    "shop.key_identity_index": ("a, b", ["1, 'x', 1", "1, 'y', 2"]),
    "shop.key_unique_index": ("a", ["1, 1", "-5, 2"]),
    "shop.key_deferrable": ("k", ["1, 1", "2, 2"]),
    "shop.key_self": ("k, parent", ["1, NULL, 1", "2, 1, 2", "3, 2, 3"]),
}
