-- Where goods of a claim are to be sent back to, and by when.
ALTER TABLE claims ADD COLUMN return_address TEXT;
ALTER TABLE claims ADD COLUMN return_by DATE;
