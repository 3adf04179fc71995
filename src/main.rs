//! Arguments -> the command, nothing else.

fn main() -> std::process::ExitCode {
    muster::cli::run()
}
