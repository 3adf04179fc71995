//! `muster export`: campaigns, orders, shipments and waiting lists as CSV or JSON, row by row, to a file or to the terminal.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::Answer;
use crate::app::ground;
use crate::config::Config;
use crate::store::{Conn, campaigns, merchants};
use crate::workflows::exchange::{Export, Scope, What, cell};

/// What is taken out, and how.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// What is taken out. Orders, shipments and waiting lists carry names and addresses of shoppers.
    #[arg(long, value_enum)]
    what: Kind,
    /// csv for spreadsheets, json for programs.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Only of this merchant: its name in addresses.
    #[arg(long, value_name = "SLUG")]
    merchant: Option<String>,
    /// Only of this campaign: its name in addresses.
    #[arg(long, value_name = "SLUG")]
    campaign: Option<String>,
    /// The file to write; left out: the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Campaigns,
    Orders,
    Shipments,
    Waiting,
}

/// How rows lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated, UTF-8, with a head.
    Csv,
    /// One array of objects.
    Json,
}

/// Writes the rows.
pub(super) fn run(config: &Config, args: &ExportArgs) -> Answer {
    let ground = ground(config, "http://localhost", 1)?;
    let mut conn = ground.pool.get().map_err(|e| e.to_string())?;
    let scope = scope(&mut conn, args)?;
    let what = match args.what {
        Kind::Campaigns => What::Campaigns,
        Kind::Orders => What::Orders,
        Kind::Shipments => What::Shipments,
        Kind::Waiting => What::Waiting,
    };
    let export = Export::new(what, scope);
    match &args.out {
        None => write(&mut conn, what, export, args.format, io::stdout().lock()),
        Some(path) => {
            // Written beside and renamed: a file of this name is always a whole one.
            let part = path.with_extension("part");
            let failed = |e: io::Error| format!("--out: {}: {e}", part.display());
            let file = File::create(&part).map_err(failed)?;
            write(&mut conn, what, export, args.format, file)?;
            std::fs::rename(&part, path).map_err(failed)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn scope(conn: &mut Conn, args: &ExportArgs) -> Result<Scope, String> {
    let failed = |e: crate::store::StoreError| e.to_string();
    let mut scope = Scope::default();
    if let Some(slug) = &args.merchant {
        let row = merchants::by_slug(conn, slug).map_err(failed)?;
        let row = row.ok_or_else(|| format!("--merchant: there is no merchant {slug}"))?;
        scope.merchant = Some(row.id);
    }
    if let Some(slug) = &args.campaign {
        let row = campaigns::by_slug(conn, slug)
            .map_err(failed)?
            .filter(|row| scope.merchant.is_none_or(|id| id == row.merchant_id))
            .ok_or_else(|| format!("--campaign: there is no campaign {slug}"))?;
        scope.campaign = Some(row.id);
    }
    Ok(scope)
}

fn write(
    conn: &mut Conn,
    what: What,
    mut export: Export,
    format: Format,
    to: impl Write,
) -> Result<(), String> {
    let columns = what.columns();
    let mut next = || export.next(conn).map_err(|e| e.to_string());
    match format {
        Format::Csv => {
            let failed = |e: csv::Error| format!("csv: {e}");
            let mut out = csv::Writer::from_writer(to);
            out.write_record(&columns).map_err(failed)?;
            while let Some(rows) = next()? {
                for row in rows {
                    out.write_record(row.iter().map(cell)).map_err(failed)?;
                }
            }
            out.flush().map_err(|e| e.to_string())
        }
        Format::Json => {
            let mut out = BufWriter::new(to);
            let failed = |e: io::Error| format!("json: {e}");
            let mut between = "[\n";
            while let Some(rows) = next()? {
                for row in rows {
                    out.write_all(between.as_bytes()).map_err(failed)?;
                    between = ",\n";
                    object(&mut out, &columns, &row).map_err(failed)?;
                }
            }
            let end = if between == "[\n" { "[]\n" } else { "\n]\n" };
            out.write_all(end.as_bytes()).map_err(failed)?;
            out.flush().map_err(failed)
        }
    }
}

/// An object with its fields in the order of the columns.
fn object(out: &mut impl Write, columns: &[&str], row: &[Value]) -> io::Result<()> {
    for (i, (name, value)) in columns.iter().zip(row).enumerate() {
        let open = if i == 0 { "{" } else { "," };
        write!(out, "{open}\"{name}\":{value}")?;
    }
    out.write_all(b"}")
}
