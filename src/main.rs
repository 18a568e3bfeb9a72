//! The program. Everything it says and does is in `daybreak::cli`.

fn main() -> std::process::ExitCode {
    daybreak::cli::main()
}
