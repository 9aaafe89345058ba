//! Simulated tablets and stand-ins for Apple; shares no parser with the server.
