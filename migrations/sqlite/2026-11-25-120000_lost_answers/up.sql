-- What a challenge was answered: the certificate, public as any other, for whoever asks again with the same key
-- because the first answer was lost. It goes with its challenge.
ALTER TABLE challenges ADD COLUMN certificate BLOB;
