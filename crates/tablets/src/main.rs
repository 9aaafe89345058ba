//! The program: simulated tablets and stand-ins for Apple, for whoever wants to try or to load an MDM server.

mod program;

fn main() -> std::process::ExitCode {
    program::main()
}
