-- Why a purchase order does not stand any more: the supplier said no, or the merchant took it back.
ALTER TABLE purchase_orders ADD COLUMN rejected_at TIMESTAMP;
ALTER TABLE purchase_orders ADD COLUMN rejected_because TEXT;
ALTER TABLE purchase_orders ADD COLUMN withdrawn_at TIMESTAMP;
ALTER TABLE purchase_orders ADD COLUMN withdrawn_because TEXT;
