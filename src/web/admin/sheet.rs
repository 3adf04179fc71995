//! Files for spreadsheets.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::guard::Refusal;
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::workflows::desk::Problem;

/// A text that a spreadsheet reads as text: not as a formula.
pub fn as_text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Rows as a CSV file to keep.
pub fn csv_answer(name: &str, rows: Vec<Vec<String>>) -> Result<HttpResponse, Refusal> {
    let broken = |e: String| Refusal::Problem(Problem::Internal(format!("csv: {e}")));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(&row)
            .map_err(|e| broken(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| broken(e.to_string()))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

/// An amount for a spreadsheet: `1234.50`.
pub fn decimal(amount: i64, code: &str) -> String {
    Currency::parse(code).map_or_else(
        || amount.to_string(),
        |currency| Money::new(amount, currency).to_decimal(),
    )
}
