-- Who of the staff asked for a change of an order; none: its shopper did.
ALTER TABLE changes ADD COLUMN asked_by TEXT;
