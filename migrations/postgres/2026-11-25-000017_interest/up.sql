-- The interest check: what shoppers would buy, and what they would like to see next.

-- email: the shopper, trimmed and lower-cased; none once the address was erased.
CREATE TABLE interests (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    email TEXT,
    name TEXT,
    created_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX interests_email ON interests (campaign_id, email);
CREATE INDEX interests_by_campaign ON interests (campaign_id, id);

-- up_to: the most that a unit may cost, in minor units of the campaign's currency.
CREATE TABLE interest_lines (
    interest_id BYTEA NOT NULL REFERENCES interests (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    sku TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    up_to BIGINT NOT NULL CHECK (up_to > 0),
    PRIMARY KEY (interest_id, sku)
);
CREATE INDEX interest_lines_by_campaign ON interest_lines (campaign_id, sku, up_to);

-- votes: confirmed ones.
CREATE TABLE ideas (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'hidden', 'ended', 'running')),
    campaign_id BYTEA REFERENCES campaigns (id),
    votes BIGINT NOT NULL DEFAULT 0 CHECK (votes >= 0),
    created_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX ideas_by_merchant ON ideas (merchant_id, id);
CREATE INDEX ideas_by_campaign ON ideas (campaign_id);

-- tells: whether the voter wants to hear when a campaign comes of it.
CREATE TABLE idea_votes (
    id BYTEA PRIMARY KEY NOT NULL,
    idea_id BYTEA NOT NULL REFERENCES ideas (id),
    email TEXT,
    tells BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP
);
CREATE UNIQUE INDEX idea_votes_email ON idea_votes (idea_id, email);
