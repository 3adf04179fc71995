-- Pages that wait to be made are counted and ordered, and open ones looked through, without the closed ones.
CREATE INDEX payments_by_state ON payments (state, planned_at, order_id);
-- A shopper who lost the link is found by the address alone.
CREATE INDEX orders_by_email ON orders (email, id);
-- A judged batch is settled some orders at a time, without passing over those that are.
CREATE INDEX orders_unsettled ON orders (batch_id, settled, id);
-- A partial index is of no use where `dead` is a value that is bound.
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (dead, run_at);
