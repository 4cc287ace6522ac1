-- Fixed work for Debian's sqlite3: inserts, indices, joins, groups, text.
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, class INTEGER, price INTEGER);
CREATE TABLE sale (id INTEGER PRIMARY KEY, item INTEGER, day INTEGER, amount INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO item SELECT i, printf('item-%05d', i * 7919 % 10007), i % 37, i * 104729 % 9973 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
INSERT INTO sale SELECT i, i * 7907 % 5000 + 1, i % 365, i * 31 % 17 FROM n;
CREATE INDEX sale_item ON sale (item);
CREATE INDEX item_name ON item (name);
SELECT class, count(*), sum(price * amount) FROM item JOIN sale ON sale.item = item.id
    GROUP BY class ORDER BY 3 DESC LIMIT 5;
SELECT day, sum(amount) AS total FROM sale GROUP BY day HAVING total > 800 ORDER BY total, day LIMIT 5;
SELECT count(*), min(name), max(upper(name)) FROM item WHERE name LIKE '%7%' AND price BETWEEN 100 AND 5000;
UPDATE sale SET amount = amount + 1 WHERE item IN (SELECT id FROM item WHERE class < 9);
DELETE FROM sale WHERE day % 7 = 3;
SELECT count(*), sum(amount), total(item * day) FROM sale;
