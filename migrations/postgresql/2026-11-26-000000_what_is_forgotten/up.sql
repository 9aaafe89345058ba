-- What is forgotten, for PostgreSQL: the indexes by which a purge finds what is due. Tables and columns stay.
CREATE INDEX observations_by_report ON observations (reported_at);
CREATE INDEX orphans_by_last_visit ON orphans (last_seen_at);
CREATE INDEX alarms_settled ON alarms (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX accounts_closed ON accounts (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX countersignatures_with_a_body ON countersignatures (asked_at) WHERE content IS NOT NULL;
-- A dangerous command stays to be read; what the tablet answered to it is emptied.
CREATE INDEX commands_of_orders_answered ON commands (queued_at)
    WHERE gate <> 'ordinary' AND (result IS NOT NULL OR error IS NOT NULL OR answer_raw IS NOT NULL);
-- And those by which the engine sees that nothing refers to a row that goes: without them, it looks for each of
-- them in the whole of a big table.
CREATE INDEX enrolments_by_link ON enrolments (link_id) WHERE link_id IS NOT NULL;
CREATE INDEX enrolments_by_takeover ON enrolments (takeover_id) WHERE takeover_id IS NOT NULL;
