-- Who a node's row belongs to: the start that took it last, named by its host, that host's boot and a
-- nonce. A copy of a data directory has the node's id, but not that start's place: it gets an id of its own.
ALTER TABLE node ADD COLUMN birth TEXT NOT NULL DEFAULT '';
