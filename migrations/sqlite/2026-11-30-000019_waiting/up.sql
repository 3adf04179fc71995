-- The waiting lists of sold-out options: one row for each order that was put on one, in the order of their places. No
-- answer: it waits, or is offered units. A row stays when it is answered.
CREATE TABLE waiting (
    order_id BLOB PRIMARY KEY NOT NULL REFERENCES orders (id),
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    place BIGINT NOT NULL CHECK (place > 0),
    joined_at TIMESTAMP NOT NULL,
    told_at TIMESTAMP,
    offered_at TIMESTAMP,
    offer_ends TIMESTAMP,
    reminded_at TIMESTAMP,
    answer TEXT CHECK (answer IN ('accepted', 'left', 'lapsed', 'ended')),
    answered_at TIMESTAMP,
    CHECK ((offered_at IS NULL) = (offer_ends IS NULL)),
    CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CHECK (answer IS NULL OR answer NOT IN ('accepted', 'lapsed') OR offered_at IS NOT NULL),
    UNIQUE (campaign_id, place)
);
CREATE INDEX waiting_open ON waiting (campaign_id, place) WHERE answer IS NULL;
