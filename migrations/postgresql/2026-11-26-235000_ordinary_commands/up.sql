-- Guards of what is dangerous, for PostgreSQL: an ordinary command does not even enter them. What they say is unchanged.
DROP TRIGGER commands_of_incidents_insert_rests ON commands;
CREATE TRIGGER commands_of_incidents_insert_rests BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate <> 'ordinary') EXECUTE FUNCTION commands_of_incidents_insert_rests();
DROP TRIGGER commands_of_incidents_update_rests ON commands;
CREATE TRIGGER commands_of_incidents_update_rests BEFORE UPDATE ON commands FOR EACH ROW
    WHEN (NEW.gate <> 'ordinary') EXECUTE FUNCTION commands_of_incidents_update_rests();
DROP TRIGGER commands_of_incidents_insert ON commands;
CREATE TRIGGER commands_of_incidents_insert BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate <> 'ordinary' OR NEW.request_type = 'PlayLostModeSound')
    EXECUTE FUNCTION commands_of_incidents_insert();
DROP TRIGGER commands_of_confirmed_incidents_insert ON commands;
CREATE TRIGGER commands_of_confirmed_incidents_insert BEFORE INSERT ON commands FOR EACH ROW
    WHEN (NEW.gate <> 'ordinary') EXECUTE FUNCTION commands_of_confirmed_incidents_insert();
