-- Where an order goes once a change took effect (name and address, JSON) and how its parcels come then; none: as before.
-- Personal data, as orders.address is.
ALTER TABLE changes ADD COLUMN goes_to TEXT;
ALTER TABLE changes ADD COLUMN delivery TEXT CHECK (delivery IN ('one_parcel', 'as_available'));
-- When its shopper agreed to it, under which version of the terms, and from which network address; none: nobody had to.
ALTER TABLE changes ADD COLUMN agreed_at TIMESTAMP;
ALTER TABLE changes ADD COLUMN agreed_terms INTEGER;
ALTER TABLE changes ADD COLUMN agreed_from TEXT;
