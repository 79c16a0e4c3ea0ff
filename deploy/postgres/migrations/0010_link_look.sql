-- The requests of a payer that its link set was made from: how many, and the sum of their versions. Another number: look again.
CREATE TABLE link_look (
    lane  text NOT NULL,
    payer text NOT NULL,
    seen  text NOT NULL,
    PRIMARY KEY (lane, payer)
);
