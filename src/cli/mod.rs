//! The commands. One file each; `main` hands the arguments over and exits with what is answered.

mod audit;
mod backup;
mod demo;
mod export;
mod import;
mod reconcile;
mod restore;
mod serve;
mod staff;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Settings};

/// The group-buy server that shops run themselves.
#[derive(Debug, Parser)]
#[command(name = "muster", version, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The server: pages, API, webhooks and background work in one process (also: no command).
    Serve {
        /// Pages only; background work is done by `muster worker`.
        #[arg(long)]
        no_worker: bool,
    },
    /// Background work only, for several machines on one PostgreSQL.
    Worker,
    /// Serves a throw-away example shop in the sandbox, filled with campaigns in every state; prints the addresses and
    /// the log-in of a merchant.
    Demo,
    /// People who work in a merchant's panel.
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// Keys for a merchant's programs.
    ApiKey {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Writes campaigns, orders or shipments as CSV or JSON.
    Export(export::ExportArgs),
    /// Makes drafts of campaigns from CSV or JSON, through the checks of the API. Every row is reported. Exit 0: all are
    /// good, 1: some are wrong.
    Import(import::ImportArgs),
    /// Checks every rule of the books and prints each breach with its order. Exit 0: none, 1: some, 2: the provider
    /// could not be asked.
    Audit,
    /// Compares the journal with the provider, both ways; repairs what is safe, lists the rest. Exit 0: nothing left to
    /// do, 1: a person is needed.
    Reconcile,
    /// A consistent copy while the server runs: embedded database, uploads, secret.
    Backup {
        /// The file to write.
        file: std::path::PathBuf,
    },
    /// Puts a backup in place. Money, purchase orders and mail then wait until `muster reconcile` has matched what the
    /// provider did since. Stop the server first.
    Restore {
        /// A file that `muster backup` wrote.
        file: std::path::PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum StaffCommand {
    /// Lets a person log in; makes the merchant where there is none. The password comes from MUSTER_PASSWORD or is asked
    /// for.
    Add {
        /// The merchant's name.
        #[arg(long)]
        merchant: String,
        /// The person's e-mail address.
        #[arg(long)]
        email: String,
        /// owner, manager, fulfilment or viewer.
        #[arg(long)]
        role: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Prints a new key, alone, once.
    Create {
        /// The merchant's name in addresses, such as fern-kiln.
        #[arg(long)]
        merchant: String,
    },
    /// Prints the merchant's keys: the id of each, and when it was made.
    List {
        /// The merchant's name in addresses.
        #[arg(long)]
        merchant: String,
    },
    /// Revokes a key: it opens nothing from then on.
    Revoke {
        /// The merchant's name in addresses.
        #[arg(long)]
        merchant: String,
        /// The key's id, as `list` prints it.
        id: String,
    },
}

/// What a command answers: an exit code, or a sentence for the operator.
type Answer = Result<ExitCode, String>;

/// Reads the arguments and runs the command.
pub fn run() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info,stripe=warn"))
        .init();
    let cli = Cli::parse();
    let answer = cli
        .settings
        .check()
        .and_then(|config| actix_web::rt::System::new().block_on(dispatch(config, cli.command)));
    match answer {
        Ok(code) => code,
        Err(sentence) => {
            eprintln!("muster: {sentence}");
            ExitCode::from(2)
        }
    }
}

async fn dispatch(config: Config, command: Option<Command>) -> Answer {
    match command.unwrap_or(Command::Serve { no_worker: false }) {
        Command::Serve { no_worker } => serve::run(config, no_worker).await,
        Command::Worker => serve::work(config).await,
        Command::Demo => demo::run(config).await,
        Command::Staff {
            command:
                StaffCommand::Add {
                    merchant,
                    email,
                    role,
                },
        } => staff::add(&config, &merchant, &email, &role),
        Command::ApiKey { command } => match command {
            KeyCommand::Create { merchant } => staff::create_key(&config, &merchant),
            KeyCommand::List { merchant } => staff::list_keys(&config, &merchant),
            KeyCommand::Revoke { merchant, id } => staff::revoke_key(&config, &merchant, &id),
        },
        Command::Export(args) => export::run(&config, &args),
        Command::Import(args) => import::run(&config, &args),
        Command::Audit => audit::run(config).await,
        Command::Reconcile => reconcile::run(config).await,
        Command::Backup { file } => backup::run(&config, &file),
        Command::Restore { file } => restore::run(&config, &file),
    }
}
