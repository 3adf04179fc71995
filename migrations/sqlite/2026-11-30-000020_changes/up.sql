-- What shoppers change of an order before the judgement. attempt: the payment of what it costs more; none where nothing is to
-- be paid for it. had: lines and total before, wanted: what is agreed once it takes effect, held: the units that are taken
-- for it meanwhile; all three JSON.
CREATE TABLE changes (
    id BLOB PRIMARY KEY NOT NULL,
    order_id BLOB NOT NULL REFERENCES orders (id),
    state TEXT NOT NULL CHECK (state IN ('planned', 'done', 'dropped')),
    attempt INTEGER,
    had TEXT NOT NULL,
    wanted TEXT NOT NULL,
    held TEXT NOT NULL,
    form_key TEXT,
    hold_expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP
);
CREATE INDEX changes_of_order ON changes (order_id);
-- One at a time; the same form is the same change.
CREATE UNIQUE INDEX changes_under_way ON changes (order_id) WHERE state = 'planned';
CREATE UNIQUE INDEX changes_by_form ON changes (order_id, form_key) WHERE form_key IS NOT NULL;
