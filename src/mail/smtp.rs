//! The mailer port on lettre: one connection for each mail, one attempt. Repeating is the jobs' work.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use url::{Host, Url};

use super::words::one_line;
use crate::workflows::ports::{Delivered, MailError, Mailer, Outgoing};

/// How long one mail may take, from connecting to the server's last word.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Replies about our own log-in (RFC 4954, section 6): the setting is wrong, not the mail, so the mail may go later.
const LOG_IN_REPLIES: [u16; 4] = [530, 534, 535, 538];

const EXAMPLE: &str = "smtps://user:password@mail.example.org, or smtp://127.0.0.1:25";

/// Hands mails to an SMTP server.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    /// The right part of each Message-ID.
    id_host: String,
}

impl Smtp {
    /// The server of a URL `smtp://user:password@host:port` or `smtps://...`; names and passwords percent-encoded.
    ///
    /// - `?from=address`: the sender's address; without it `no-reply@` the public URL's host.
    /// - `?tls=required|opportunistic|none`, for `smtp`: whether STARTTLS is used. Without it: none on this machine,
    ///   `required` where there is a password, else `opportunistic`.
    ///
    /// Ports, where none is given: 465 for `smtps`, 587 for `smtp` with a password, else 25.
    ///
    /// # Errors
    /// A sentence that says what to write instead. It never repeats the password.
    pub fn new(smtp_url: &str, public_url: &str) -> Result<Self, String> {
        let url = Url::parse(smtp_url.trim()).map_err(|error| {
            format!(
                "MUSTER_SMTP_URL can't be read ({error}): write {EXAMPLE}; \
                 where it is not set, mail is kept in the database"
            )
        })?;
        let host = match url.host_str().filter(|host| !host.is_empty()) {
            Some(host) => host.trim_matches(['[', ']']).to_owned(),
            None => return Err(format!("MUSTER_SMTP_URL names no host: write {EXAMPLE}")),
        };
        let credentials = credentials(&url)?;
        let query = Query::read(&url)?;
        let tls = query.tls(&url, &host, credentials.is_some())?;
        let port = url.port().unwrap_or(match (&tls, &credentials) {
            (Tls::Wrapper(_), _) => 465,
            (_, Some(_)) => 587,
            (_, None) => 25,
        });
        let id_host = mail_host(public_url)?;
        let from = query.sender(&id_host)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(TIMEOUT))
            .hello_name(hello_name(&id_host));
        if let Some(credentials) = credentials {
            builder = builder.credentials(credentials);
        }
        Ok(Self {
            transport: builder.build(),
            from,
            id_host,
        })
    }

    async fn hand_over(&self, mail: Outgoing) -> Result<Delivered, MailError> {
        let message = self.message(mail)?;
        match tokio::time::timeout(TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Delivered::Sent),
            Ok(Err(error)) => Err(outcome(&error)),
            Err(_) => Err(MailError::Later(format!(
                "the mail server did not answer within {} seconds",
                TIMEOUT.as_secs()
            ))),
        }
    }

    /// The mail as it goes over the wire: plain text and HTML side by side, then what is attached.
    pub(super) fn message(&self, mail: Outgoing) -> Result<Message, MailError> {
        let id: String = mail
            .message_id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c))
            .collect();
        let from_name = one_line(&mail.from_name);
        let from_name = Some(from_name).filter(|name| !name.is_empty());
        let mut builder = Message::builder()
            .message_id(Some(format!("<{id}@{}>", self.id_host)))
            .from(Mailbox::new(from_name, self.from.clone()))
            .to(Mailbox::new(None, address(&mail.to)?))
            .subject(one_line(&mail.written.subject))
            .raw_header(HeaderValue::new(
                // RFC 3834, section 5: keeps "out of office" answers away.
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = &mail.reply_to {
            builder = builder.reply_to(Mailbox::new(None, address(reply_to)?));
        }
        let bodies = MultiPart::alternative_plain_html(mail.written.text, mail.written.html);
        let message = if mail.written.attachments.is_empty() {
            builder.multipart(bodies)
        } else {
            let mut mixed = MultiPart::mixed().multipart(bodies);
            for file in mail.written.attachments {
                let kind = ContentType::parse(&file.media_type).unwrap_or(ContentType::TEXT_PLAIN);
                mixed =
                    mixed.singlepart(Attachment::new(one_line(&file.name)).body(file.text, kind));
            }
            builder.multipart(mixed)
        };
        message.map_err(|error| MailError::Refused(format!("the mail can't be written: {error}")))
    }
}

impl Mailer for Smtp {
    fn send(&self, mail: Outgoing) -> BoxFuture<'_, Result<Delivered, MailError>> {
        Box::pin(self.hand_over(mail))
    }
}

fn address(text: &str) -> Result<Address, MailError> {
    text.trim()
        .parse()
        .map_err(|error| MailError::Refused(format!("{text:?} is not an e-mail address: {error}")))
}

/// What follows from a mail that the server did not take.
fn outcome(error: &lettre::transport::smtp::Error) -> MailError {
    let text = one_line(&error.to_string());
    let log_in = error
        .status()
        .is_some_and(|code| LOG_IN_REPLIES.contains(&u16::from(code)));
    // The client's own refusal of an address like mûster@example.org at a server that can't take it.
    let unspeakable = error.is_client() && text.contains("SMTPUTF8");
    if (error.is_permanent() && !log_in) || unspeakable {
        MailError::Refused(text)
    } else {
        MailError::Later(text)
    }
}

/// The log-in of a URL, where it has one.
fn credentials(url: &Url) -> Result<Option<Credentials>, String> {
    let decode = |text: &str| {
        let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() => {
            Ok(Some(Credentials::new(decode(user), decode(password))))
        }
        _ => Err(format!(
            "MUSTER_SMTP_URL has a user without a password, or a password without a user: \
             write both, as in {EXAMPLE}"
        )),
    }
}

/// What a URL says after its question mark.
#[derive(Default)]
struct Query {
    from: Option<String>,
    tls: Option<String>,
}

impl Query {
    fn read(url: &Url) -> Result<Self, String> {
        let mut query = Self::default();
        for (key, value) in url.query_pairs() {
            match key.as_ref() {
                "from" => query.from = Some(value.into_owned()),
                "tls" => query.tls = Some(value.into_owned()),
                other => {
                    return Err(format!(
                        "MUSTER_SMTP_URL: {other:?} is not known after the question mark: \
                         write from=address or tls=required|opportunistic|none"
                    ));
                }
            }
        }
        Ok(query)
    }

    fn tls(&self, url: &Url, host: &str, log_in: bool) -> Result<Tls, String> {
        let parameters = || {
            TlsParameters::new(host.to_owned()).map_err(|error| {
                format!(
                    "MUSTER_SMTP_URL: no secure connection can be made to {host:?} ({error}): \
                     write the name that is in the server's certificate"
                )
            })
        };
        match (url.scheme(), self.tls.as_deref()) {
            ("smtps", None) => Ok(Tls::Wrapper(parameters()?)),
            ("smtps", Some(_)) => {
                Err("MUSTER_SMTP_URL: smtps:// is always encrypted: leave tls= out".to_owned())
            }
            ("smtp", None) if is_loopback(host) => Ok(Tls::None),
            // A password never goes out in the clear unless that is asked for.
            ("smtp", None) if log_in => Ok(Tls::Required(parameters()?)),
            ("smtp", None | Some("opportunistic")) => Ok(Tls::Opportunistic(parameters()?)),
            ("smtp", Some("required")) => Ok(Tls::Required(parameters()?)),
            ("smtp", Some("none")) => Ok(Tls::None),
            ("smtp", Some(other)) => Err(format!(
                "MUSTER_SMTP_URL: tls={other:?} is not known: \
                 write tls=required, tls=opportunistic or tls=none"
            )),
            (other, _) => Err(format!(
                "MUSTER_SMTP_URL starts with {other:?}: write {EXAMPLE}"
            )),
        }
    }

    fn sender(&self, host: &str) -> Result<Address, String> {
        match &self.from {
            Some(from) => from.trim().parse().map_err(|error| {
                format!(
                    "MUSTER_SMTP_URL: from={from:?} is not an e-mail address ({error}): \
                     write from=shop@example.org"
                )
            }),
            None => format!("no-reply@{host}").parse().map_err(|error| {
                format!(
                    "no-reply@{host} can't send mail ({error}): \
                     add ?from=shop@example.org to MUSTER_SMTP_URL"
                )
            }),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The public URL's host as the right part of addresses and Message-IDs: IP addresses in brackets (RFC 5321, 4.1.3).
fn mail_host(public_url: &str) -> Result<String, String> {
    let url = Url::parse(public_url).map_err(|error| {
        format!("MUSTER_PUBLIC_URL can't be read ({error}): write https://shop.example.org")
    })?;
    match url.host() {
        Some(Host::Domain(name)) => Ok(name.to_owned()),
        Some(Host::Ipv4(address)) => Ok(format!("[{address}]")),
        Some(Host::Ipv6(address)) => Ok(format!("[IPv6:{address}]")),
        None => Err("MUSTER_PUBLIC_URL names no host: write https://shop.example.org".to_owned()),
    }
}

/// How we greet: by the public name, which the machine's own name often is not.
fn hello_name(host: &str) -> ClientId {
    ClientId::Domain(host.to_owned())
}
