-- Which of an order's payments is disputed: what a lost dispute took is gone from that one. Older rows are of the first.
ALTER TABLE disputes ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
