use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use crate::mail::{Smtp, mailer};
use crate::workflows::letters::{Attachment, Written};
use crate::workflows::ports::{Delivered, MailError, Outgoing};

const PUBLIC: &str = "https://shop.example.org/";

/// A mail server on this machine that serves one connection: `rcpt` answers to `RCPT TO`, `auth` to `AUTH`.
/// Joining it gives what the client said.
struct FakeServer {
    url: String,
    heard: JoinHandle<Vec<String>>,
}

impl FakeServer {
    fn start(rcpt: &'static str, auth: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            talk(stream, rcpt, auth)
        });
        let url = format!("smtp://{address}");
        Self { url, heard }
    }

    fn heard(self) -> Vec<String> {
        self.heard.join().unwrap()
    }
}

fn talk(stream: TcpStream, rcpt: &str, auth: &str) -> Vec<String> {
    let mut out = stream.try_clone().unwrap();
    let mut say = |words: &str| out.write_all(format!("{words}\r\n").as_bytes()).is_ok();
    let mut heard = Vec::new();
    let mut in_data = false;
    say("220 here");
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            _ if in_data && line == "." => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => "",
            "EHLO" => "250-here\r\n250 AUTH PLAIN",
            "AUTH" => auth,
            "RCPT" => rcpt,
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        heard.push(line);
        if !answer.is_empty() && !say(answer) {
            break;
        }
    }
    heard
}

fn mail(to: &str) -> Outgoing {
    Outgoing {
        message_id: "0190-1".to_owned(),
        from_name: "Fern & Kiln".to_owned(),
        reply_to: Some("hello@fernandkiln.example".to_owned()),
        to: to.to_owned(),
        written: Written {
            subject: "Order M-2417: you paid $196.50".to_owned(),
            text: "Hello Inês".to_owned(),
            html: "<p>Hello Inês</p>".to_owned(),
            attachments: Vec::new(),
        },
    }
}

async fn send(url: &str, mail: Outgoing) -> Result<Delivered, MailError> {
    mailer(Some(url), PUBLIC).unwrap().send(mail).await
}

#[tokio::test]
async fn a_mail_is_handed_to_the_server_with_both_bodies() {
    let server = FakeServer::start("250 fine", "235 in");
    let answer = send(&server.url, mail("ines@example.org")).await;
    assert_eq!(answer.unwrap(), Delivered::Sent);
    let heard = server.heard();
    let said = |line: &str| {
        let found = heard.iter().any(|other| other == line);
        assert!(found, "{line:?} is not in {heard:#?}");
    };
    said("EHLO shop.example.org");
    said("MAIL FROM:<no-reply@shop.example.org>");
    said("RCPT TO:<ines@example.org>");
    said("Message-ID: <0190-1@shop.example.org>");
    // "Fern & Kiln", encoded.
    said("From: =?utf-8?b?RmVybiAmIEtpbG4=?= <no-reply@shop.example.org>");
    said("Reply-To: hello@fernandkiln.example");
    said("To: ines@example.org");
    said("Subject: Order M-2417: you paid $196.50");
    said("Auto-Submitted: auto-generated");
    said("Content-Type: text/plain; charset=utf-8");
    said("Content-Type: text/html; charset=utf-8");
    assert!(
        heard
            .iter()
            .any(|line| line.contains("multipart/alternative"))
    );
}

#[tokio::test]
async fn an_address_that_the_server_refuses_is_refused_for_good() {
    let server = FakeServer::start("550 no such person", "235 in");
    let answer = send(&server.url, mail("nobody@example.org")).await;
    let Err(MailError::Refused(why)) = answer else {
        panic!("{answer:?}");
    };
    assert!(why.contains("no such person"), "{why}");
}

#[tokio::test]
async fn a_server_that_is_busy_gets_the_mail_later() {
    let server = FakeServer::start("451 greylisted", "235 in");
    let answer = send(&server.url, mail("ines@example.org")).await;
    let Err(MailError::Later(why)) = answer else {
        panic!("{answer:?}");
    };
    assert!(why.contains("greylisted"), "{why}");
}

#[tokio::test]
async fn a_server_that_is_not_there_gets_the_mail_later() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let answer = send(&url, mail("ines@example.org")).await;
    assert!(matches!(answer, Err(MailError::Later(_))), "{answer:?}");
}

#[tokio::test]
async fn a_wrong_password_is_no_fault_of_the_mail() {
    let server = FakeServer::start("250 fine", "535 5.7.8 who are you");
    let url = server
        .url
        .replace("smtp://", "smtp://shop%40example.org:p%26+ss&@");
    let answer = send(&url, mail("ines@example.org")).await;
    assert!(matches!(answer, Err(MailError::Later(_))), "{answer:?}");
    // \0shop@example.org\0p&+ss&
    let plain = "AUTH PLAIN AHNob3BAZXhhbXBsZS5vcmcAcCYrc3Mm";
    let heard = server.heard();
    assert!(heard.iter().any(|line| line == plain), "{heard:#?}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anybody_is_asked() {
    for wrong in [
        "",
        "ines",
        "a b@example.org",
        "ines@example.org\r\nBcc: x@y.z",
        "a@b.c, d@e.f",
    ] {
        let answer = send("smtp://127.0.0.1:1", mail(wrong)).await;
        assert!(matches!(answer, Err(MailError::Refused(_))), "{wrong:?}");
    }
}

#[tokio::test]
async fn without_a_server_a_mail_is_kept() {
    let kept = mailer(None, PUBLIC).unwrap();
    let answer = kept.send(mail("ines@example.org")).await;
    assert_eq!(answer.unwrap(), Delivered::Kept);
}

#[test]
fn what_comes_with_a_mail_is_attached() {
    let mut mail = mail("ines@example.org");
    mail.from_name = "Fern\r\nBcc: all@example.org".to_owned();
    mail.message_id = "a\r\nb>".to_owned();
    mail.written.subject = "Order\r\nBcc: all@example.org".to_owned();
    mail.written.attachments.push(Attachment {
        name: "PO-0031-v1.csv".to_owned(),
        media_type: "text/csv; charset=utf-8".to_owned(),
        text: "sku,name\n".to_owned(),
    });
    let smtp = Smtp::new("smtp://127.0.0.1?from=shop@example.org", PUBLIC).unwrap();
    let message = smtp.message(mail).unwrap().formatted();
    let message = String::from_utf8(message).unwrap();
    assert!(message.contains("multipart/mixed"), "{message}");
    let file = "Content-Disposition: attachment; filename=\"PO-0031-v1.csv\"";
    assert!(message.contains(file), "{message}");
    assert!(message.contains("<shop@example.org>"), "{message}");
    assert!(message.contains("Message-ID: <ab@shop.example.org>\r\n"));
    assert!(!message.contains("\nBcc:"), "{message}");
}

#[test]
fn a_server_may_be_named_in_each_known_way() {
    for right in [
        "smtp://mail.example.org",
        "smtp://user:pass@mail.example.org:587",
        "smtps://user:pass@mail.example.org",
        "smtp://[::1]:2525?tls=none",
        "smtp://mail.example.org?tls=opportunistic&from=a@b.org",
    ] {
        for public in [
            PUBLIC,
            "http://127.0.0.1:8080",
            "http://localhost:8080",
            "http://[::1]",
        ] {
            let made = Smtp::new(right, public);
            assert!(made.is_ok(), "{right} {public}: {made:?}");
        }
    }
}

#[test]
fn a_wrong_setting_says_what_to_write_and_keeps_the_password() {
    for wrong in [
        "",
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://user@mail.example.org",
        "smtp://:hush@mail.example.org",
        "smtp://user:hush@mail.example.org:99999",
        "smtp://user:hush@mail.example.org?tls=maybe",
        "smtps://user:hush@mail.example.org?tls=none",
        "smtp://user:hush@mail.example.org?from=nobody",
        "smtp://user:hush@mail.example.org?form=a@b.org",
    ] {
        let Err(error) = mailer(Some(wrong), PUBLIC) else {
            panic!("{wrong} was taken");
        };
        assert!(error.starts_with("MUSTER_SMTP_URL"), "{wrong}: {error}");
        assert!(!error.contains("hush"), "{wrong}: {error}");
    }
}
