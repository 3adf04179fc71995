//! Settings: flags and variables, checked at start. A wrong one is refused with what to write instead.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use crate::store::DatabaseUrl;

/// The settings of every command (contracts: flag `--database-url`, variable `MUSTER_DATABASE_URL`).
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on.
    #[arg(
        long,
        env = "MUSTER_LISTEN",
        default_value = "127.0.0.1:8080",
        global = true
    )]
    pub listen: String,
    /// Address under which people reach the server [default: http:// and the listening address].
    #[arg(long, env = "MUSTER_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Where everything is kept: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(
        long,
        env = "MUSTER_DATABASE_URL",
        default_value = "sqlite:data/muster.db",
        hide_env_values = true,
        global = true
    )]
    pub database_url: String,
    /// Folder for uploads and the secret.
    #[arg(long, env = "MUSTER_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,
    /// Signs links and sessions, 16 characters or more [default: made at first start, kept in the data folder]. Must be
    /// set, and be the same, where several machines serve.
    #[arg(long, env = "MUSTER_SECRET", hide_env_values = true, global = true)]
    pub secret: Option<String>,
    /// Addresses of reverse proxies, separated by commas: their forwarded addresses are believed.
    #[arg(
        long,
        env = "MUSTER_TRUSTED_PROXIES",
        value_delimiter = ',',
        global = true
    )]
    pub trusted_proxies: Vec<String>,
    /// Mail server: smtp://USER:PASSWORD@HOST:PORT or smtps://... [default: none, mail is kept in the database and shown
    /// to staff]. A sender address may follow as ?from=ADDRESS.
    #[arg(long, env = "MUSTER_SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<String>,
    /// The built-in provider, the mailbox and the movable clock under /sandbox: no real money moves.
    #[arg(long, env = "MUSTER_SANDBOX", global = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = yes_or_no)]
    pub sandbox: bool,
    /// Lets the sandbox listen elsewhere than on this machine. Everybody who reaches it can move its clock.
    #[arg(long, env = "MUSTER_SANDBOX_FORCE", global = true, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = yes_or_no)]
    pub sandbox_force: bool,
    /// Calls to the provider in a second [default: 100 with a live key, 25 with a test key, none with the built-in
    /// provider].
    #[arg(long, env = "MUSTER_PROVIDER_RATE", global = true, value_parser = calls)]
    pub provider_rate: Option<NonZeroU32>,
    /// Seconds until a call to the provider is given up [default: 20, with the built-in provider 1].
    #[arg(long, env = "MUSTER_PROVIDER_TIMEOUT", global = true, value_parser = seconds)]
    pub provider_timeout: Option<NonZeroU32>,
    /// Minutes for which units are kept while a payment is under way; 35 at least.
    #[arg(long, env = "MUSTER_HOLD_MINUTES", default_value = "45", global = true, value_parser = hold_minutes)]
    pub hold_minutes: i64,
    /// The provider's secret key.
    #[arg(long, env = "STRIPE_SECRET_KEY", hide_env_values = true, global = true)]
    pub stripe_secret_key: Option<String>,
    /// What the provider signs its webhooks with.
    #[arg(
        long,
        env = "STRIPE_WEBHOOK_SECRET",
        hide_env_values = true,
        global = true
    )]
    pub stripe_webhook_secret: Option<String>,
    /// A server that stands in for the provider.
    #[arg(long, env = "STRIPE_API_BASE", global = true)]
    pub stripe_api_base: Option<String>,
}

/// Settings that fit together.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The public address, where one was given.
    pub public_url: Option<String>,
    /// Where everything is kept.
    pub database: DatabaseUrl,
    /// Uploads and the secret.
    pub data_dir: PathBuf,
    /// The secret that was given.
    pub secret: Option<String>,
    /// Whose forwarded addresses are believed.
    pub trusted_proxies: Vec<String>,
    /// The mail server.
    pub smtp_url: Option<String>,
    /// Whether the sandbox is on.
    pub sandbox: bool,
    /// Minutes a hold lasts.
    pub hold_minutes: i64,
    /// The provider, where one is known.
    pub provider: Option<ProviderConfig>,
    /// What webhooks are signed with, where it was given.
    pub webhook_secret: Option<String>,
    rate: Option<NonZeroU32>,
    timeout: Option<NonZeroU32>,
}

/// The provider's settings.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The secret key.
    pub key: String,
    /// The server to ask; none: the provider itself.
    pub base: Option<String>,
    /// Whether real money moves.
    pub live: bool,
}

impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("base", &self.base)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

fn calls(text: &str) -> Result<NonZeroU32, String> {
    let least =
        "write how many calls in a second, 1 or more, such as 25; leave it out for the usual pace";
    text.trim().parse().map_err(|_| least.to_owned())
}

fn seconds(text: &str) -> Result<NonZeroU32, String> {
    let least = "write whole seconds, 1 or more, such as 20";
    text.trim().parse().map_err(|_| least.to_owned())
}

fn hold_minutes(text: &str) -> Result<i64, String> {
    let minutes = text.trim().parse().ok();
    minutes
        .filter(|minutes| (35..=24 * 60).contains(minutes))
        .ok_or_else(|| "write 35 to 1440 whole minutes".to_owned())
}

fn wrong(setting: &str, what: impl std::fmt::Display) -> String {
    format!("{setting}: {what}")
}

impl Settings {
    /// Checks that the settings fit together.
    ///
    /// # Errors
    /// A sentence that names the setting and says what to write instead.
    pub fn check(self) -> Result<Config, String> {
        let listen: SocketAddr = self.listen.parse().map_err(|_| {
            wrong(
                "MUSTER_LISTEN",
                "write an address and a port, such as 127.0.0.1:8080",
            )
        })?;
        let database =
            DatabaseUrl::parse(&self.database_url).map_err(|e| wrong("MUSTER_DATABASE_URL", e))?;
        let public_url = self.public_url.map(|url| public_url(&url)).transpose()?;
        if self.sandbox && !listen.ip().is_loopback() && !self.sandbox_force {
            return Err(wrong(
                "MUSTER_LISTEN",
                "the sandbox listens on this machine only (127.0.0.1); to let others in, set MUSTER_SANDBOX_FORCE=true",
            ));
        }
        if self.secret.as_ref().is_some_and(|s| s.trim().len() < 16) {
            return Err(wrong(
                "MUSTER_SECRET",
                "write 16 characters or more, at random",
            ));
        }
        for proxy in &self.trusted_proxies {
            let address = proxy.split('/').next().unwrap_or_default();
            if address.parse::<std::net::IpAddr>().is_err() {
                return Err(wrong(
                    "MUSTER_TRUSTED_PROXIES",
                    format!("{proxy:?} is not an address; write such as 10.0.0.1,10.0.0.2"),
                ));
            }
        }
        let provider = provider(
            self.stripe_secret_key.filter(|k| !k.trim().is_empty()),
            self.stripe_api_base.filter(|b| !b.trim().is_empty()),
            self.sandbox,
        )?;
        let smtp_url = self.smtp_url.filter(|url| !url.trim().is_empty());
        if provider.as_ref().is_some_and(|p| p.live) && smtp_url.is_none() {
            return Err(wrong(
                "MUSTER_SMTP_URL",
                "with a live key mail must go out; write smtp://USER:PASSWORD@HOST:PORT",
            ));
        }
        Ok(Config {
            listen,
            public_url,
            database,
            data_dir: self.data_dir,
            secret: self.secret,
            trusted_proxies: self.trusted_proxies,
            smtp_url,
            sandbox: self.sandbox,
            hold_minutes: self.hold_minutes,
            provider,
            webhook_secret: self.stripe_webhook_secret.filter(|s| !s.trim().is_empty()),
            rate: self.provider_rate,
            timeout: self.provider_timeout,
        })
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let say = |what: &str| wrong("MUSTER_PUBLIC_URL", what);
    let url = url::Url::parse(text)
        .map_err(|_| say("write the whole address, such as https://shop.example"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(say("write an address that begins with https:// or http://"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(say("write it without a path, such as https://shop.example"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn provider(
    key: Option<String>,
    base: Option<String>,
    sandbox: bool,
) -> Result<Option<ProviderConfig>, String> {
    let Some(key) = key else {
        if base.is_some() && !sandbox {
            return Err(wrong(
                "STRIPE_SECRET_KEY",
                "a server was named in STRIPE_API_BASE; name the key as well",
            ));
        }
        return Ok(base.map(|base| ProviderConfig {
            key: "sk_test_sandbox".to_owned(),
            base: Some(base),
            live: false,
        }));
    };
    let live = key.starts_with("sk_live_") || key.starts_with("rk_live_");
    let test = key.starts_with("sk_test_") || key.starts_with("rk_test_");
    if !live && !test {
        return Err(wrong(
            "STRIPE_SECRET_KEY",
            "write the secret key of the provider's dashboard; it begins with sk_live_ or sk_test_",
        ));
    }
    if live && sandbox {
        return Err(wrong(
            "STRIPE_SECRET_KEY",
            "a live key is refused in the sandbox; leave it out or use one that begins with sk_test_",
        ));
    }
    if let Some(base) = &base {
        let url = url::Url::parse(base).ok();
        if !url.is_some_and(|u| matches!(u.scheme(), "http" | "https")) {
            return Err(wrong(
                "STRIPE_API_BASE",
                "write a whole address, such as http://127.0.0.1:12200/",
            ));
        }
    }
    Ok(Some(ProviderConfig { key, base, live }))
}

impl Config {
    /// The provider that is asked: the one that is set, or the built-in one of the sandbox at `public_url`.
    ///
    /// # Errors
    /// A sentence for the operator where there is neither.
    pub fn provider_at(&self, public_url: &str) -> Result<ProviderConfig, String> {
        if let Some(provider) = &self.provider {
            return Ok(provider.clone());
        }
        if self.sandbox {
            return Ok(ProviderConfig {
                key: "sk_test_sandbox".to_owned(),
                base: Some(format!("{public_url}/sandbox/stripe/")),
                live: false,
            });
        }
        Err(wrong(
            "STRIPE_SECRET_KEY",
            "set the provider's secret key, or set MUSTER_SANDBOX=true to try muster without one",
        ))
    }

    /// Whether the built-in provider is the one that is asked.
    pub fn is_built_in(&self) -> bool {
        self.provider.is_none() && self.sandbox
    }

    /// Calls in a second; none where they are not paced.
    pub fn rate(&self) -> Option<NonZeroU32> {
        let default = match &self.provider {
            Some(provider) if provider.live => NonZeroU32::new(100),
            Some(_) => NonZeroU32::new(25),
            None => None,
        };
        self.rate.or(default)
    }

    /// How long one call may take.
    pub fn timeout(&self) -> Duration {
        let default = if self.is_built_in() { 1 } else { 20 };
        Duration::from_secs(self.timeout.map_or(default, |t| u64::from(t.get())))
    }

    /// The public address, once the port is known.
    pub fn public_url_at(&self, listening: SocketAddr) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{listening}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn check(args: &[&str]) -> Result<Config, String> {
        let line =
            Line::try_parse_from(["muster"].iter().chain(args)).map_err(|e| e.to_string())?;
        line.settings.check()
    }

    #[test]
    fn the_sandbox_needs_nothing_else() {
        let config = check(&["--sandbox"]).unwrap();
        assert!(config.is_built_in());
        assert_eq!(config.timeout(), Duration::from_secs(1));
        assert_eq!(config.rate(), None);
    }

    #[test]
    fn a_wrong_setting_is_refused_with_what_to_write() {
        for (args, says) in [
            (vec!["--listen=nonsense"], "127.0.0.1:8080"),
            (vec!["--database-url=mysql://x"], "sqlite:"),
            (vec!["--public-url=shop.example"], "https://"),
            (
                vec!["--public-url=https://shop.example/path"],
                "without a path",
            ),
            (
                vec!["--sandbox", "--listen=0.0.0.0:80"],
                "MUSTER_SANDBOX_FORCE",
            ),
            (
                vec!["--sandbox", "--stripe-secret-key=sk_live_1"],
                "sk_test_",
            ),
            (vec!["--stripe-secret-key=hello"], "sk_live_"),
            (vec!["--stripe-secret-key=sk_live_1"], "MUSTER_SMTP_URL"),
            (vec!["--hold-minutes=20"], "write 35 to 1440 whole minutes"),
            (
                vec!["--hold-minutes=soon"],
                "write 35 to 1440 whole minutes",
            ),
            (vec!["--provider-rate=0"], "1 or more, such as 25"),
            (vec!["--provider-rate=-3"], "1 or more, such as 25"),
            (
                vec!["--provider-timeout=0"],
                "write whole seconds, 1 or more",
            ),
            (
                vec!["--provider-timeout=2.5"],
                "write whole seconds, 1 or more",
            ),
            (vec!["--sandbox=perhaps"], "write true or false"),
            (vec!["--secret=short"], "16 characters"),
            (vec!["--trusted-proxies=proxy"], "not an address"),
        ] {
            let said = check(&args).unwrap_err();
            assert!(said.contains(says), "{args:?} said {said}");
        }
    }

    #[test]
    fn yes_and_no_are_said_in_several_ways() {
        for (text, is) in [
            ("true", true),
            ("1", true),
            ("on", true),
            ("false", false),
            ("0", false),
            ("OFF", false),
        ] {
            assert_eq!(check(&[&format!("--sandbox={text}")]).unwrap().sandbox, is);
        }
    }

    #[test]
    fn no_key_and_no_sandbox_is_refused_where_the_provider_is_needed() {
        let config = check(&[]).unwrap();
        let said = config.provider_at("http://127.0.0.1:8080").unwrap_err();
        assert!(said.contains("MUSTER_SANDBOX=true"));
    }

    #[test]
    fn calls_are_paced_by_the_kind_of_key() {
        let smtp = "--smtp-url=smtp://mail.example";
        let live = check(&["--stripe-secret-key=sk_live_1", smtp]).unwrap();
        assert_eq!(live.rate(), NonZeroU32::new(100));
        let test = check(&["--stripe-secret-key=sk_test_1"]).unwrap();
        assert_eq!(test.rate(), NonZeroU32::new(25));
    }
}
