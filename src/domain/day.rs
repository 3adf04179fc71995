//! Days: local dates in a campaign's time zone (domain section 1). A day ends at the first instant of the next date.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The instant a local wall-clock time stands for. Where clocks go back and it comes twice, the first; where they go
/// forward and it is skipped, the first instant after the gap.
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // A gap is an hour nearly everywhere; Samoa once skipped a whole day. Gaps begin and end on full minutes.
    let mut wall = local;
    for _ in 0..=2 * 24 * 60 {
        if let Some(found) = zone.from_local_datetime(&wall).earliest() {
            return found.with_timezone(&Utc);
        }
        wall += Duration::minutes(1);
    }
    // No zone has a gap of two days; its own offset from UTC is left out rather than the day.
    local.and_utc()
}

/// The first instant of a day.
pub fn day_start(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant(date.and_time(NaiveTime::MIN), zone)
}

/// The first instant after a day: the day is over then. At the end of the calendar the day's own start.
pub fn day_end(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    day_start(date.succ_opt().unwrap_or(date), zone)
}

/// Whether a moment is over before a day begins. A day ends at the first instant of the next date, so that one, midnight,
/// still belongs to the day before.
pub fn is_before_day(at: DateTime<Utc>, day: NaiveDate, zone: Tz) -> bool {
    at <= day_start(day, zone)
}

/// The day an instant lies in.
pub fn day_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// A date as the API writes it: `YYYY-MM-DD`, nothing else.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shape
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// What a browser's `datetime-local` field sends (`2026-12-01T18:00`, seconds optional), as an instant in `zone`.
pub fn parse_local(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .ok()?;
    // Four digits: the calendar's far ends leave no room for an offset.
    (1970..=9999)
        .contains(&local.year())
        .then(|| instant(local, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        parse_date(text).unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_at_the_first_instant_of_the_next_date() {
        let berlin = Tz::Europe__Berlin;
        assert_eq!(
            day_start(date("2026-12-01"), berlin),
            utc("2026-11-30T23:00:00Z")
        );
        assert_eq!(
            day_end(date("2026-12-01"), berlin),
            utc("2026-12-01T23:00:00Z")
        );
        let before = |at: &str| is_before_day(utc(at), date("2026-12-01"), berlin);
        assert!(before("2026-11-30T23:00:00Z") && !before("2026-11-30T23:00:01Z"));
        assert_eq!(
            day_of(utc("2026-12-01T22:59:59Z"), berlin),
            date("2026-12-01")
        );
        assert_eq!(
            day_of(utc("2026-12-01T23:00:00Z"), berlin),
            date("2026-12-02")
        );
    }

    #[test]
    fn days_are_longer_and_shorter_where_clocks_change() {
        let berlin = Tz::Europe__Berlin;
        let hours =
            |day: &str| (day_end(date(day), berlin) - day_start(date(day), berlin)).num_hours();
        assert_eq!(hours("2026-03-29"), 23);
        assert_eq!(hours("2026-10-25"), 25);
    }

    #[test]
    fn a_midnight_that_does_not_exist_is_the_first_instant_after_the_gap() {
        // Beirut's clocks go from 00:00 to 01:00 on the last Sunday of March.
        let start = day_start(date("2026-03-29"), Tz::Asia__Beirut);
        assert_eq!(start, utc("2026-03-28T22:00:00Z"));
        // Samoa had no 30 December 2011 at all.
        let start = day_start(date("2011-12-30"), Tz::Pacific__Apia);
        assert_eq!(start, day_start(date("2011-12-31"), Tz::Pacific__Apia));
    }

    #[test]
    fn dates_are_read_in_one_form_only() {
        assert!(parse_date("2026-02-28").is_some());
        for wrong in [
            "2026-02-29",
            "2026-2-28",
            "28.02.2026",
            "20260228",
            "2026-02-28T00",
            "",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_form_s_local_time_is_an_instant_in_the_campaigns_zone() {
        let zone = Tz::America__New_York;
        assert_eq!(
            parse_local("2026-12-01T18:00", zone),
            Some(utc("2026-12-01T23:00:00Z"))
        );
        assert_eq!(
            parse_local("2026-12-01T18:00:30", zone),
            Some(utc("2026-12-01T23:00:30Z"))
        );
        for wrong in [
            "soon",
            "",
            "2026-12-01",
            "+262142-12-31T23:59",
            "1969-12-31T00:00",
        ] {
            assert_eq!(parse_local(wrong, zone), None, "{wrong}");
        }
    }
}
