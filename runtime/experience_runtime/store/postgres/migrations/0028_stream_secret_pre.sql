-- The secret under which the positions of the stream are told to those who do not see every change.
ALTER TABLE feeds ADD COLUMN secret text COLLATE "C";
