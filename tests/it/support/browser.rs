//! A headless Chromium that does what a visitor does: reads, fills in, clicks.
//!
//! Every helper waits, for a bounded time, until the page allows what is asked; when it never does, the test fails with
//! what the visitor saw instead.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::driver::Driver;

/// How long a visitor's patience lasts: generous, for machines under load.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// How long a page may take to give way to the next.
const LEAVING: Duration = Duration::from_secs(10);

const FLAGS: [&str; 15] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--lang=en-US",
    "--window-size=1280,900",
    // Smooth scrolling would move what is about to be clicked.
    "--force-prefers-reduced-motion",
];

/// One browser with one window, an empty profile, and nobody logged in.
pub struct Browser {
    client: Client,
    driver: Driver,
    session: String,
    /// What was clicked last and leads to another page.
    way: Mutex<Option<Element>>,
}

impl Browser {
    /// Opens the browser.
    pub async fn open() -> Self {
        Self::with_preferences(json!({})).await
    }

    /// Opens the browser of a visitor who has switched JavaScript off.
    pub async fn open_without_javascript() -> Self {
        Self::with_preferences(json!({ "profile.managed_default_content_settings.javascript": 2 }))
            .await
    }

    async fn with_preferences(preferences: Value) -> Self {
        let mut driver = Driver::start();
        let mut args: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        args.push(format!("--user-data-dir={}", driver.profile().display()));
        let mut options = json!({ "args": args, "prefs": preferences });
        if let Ok(program) = std::env::var("MUSTER_CHROMIUM") {
            options["binary"] = json!(program);
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.address())
            .await
            .unwrap_or_else(|e| panic!("Chromium did not start: {e}"));
        let session = client
            .session_id()
            .await
            .ok()
            .flatten()
            .expect("a session has an id");
        driver.remember_session(session.clone());
        Self {
            client,
            driver,
            session,
            way: Mutex::default(),
        }
    }

    /// The WebDriver client itself, for what no helper does.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens an address and waits until the page is loaded. A click before it gets the page that it led to first: an
    /// answer that comes late would take the visitor away from here again.
    pub async fn goto(&self, url: &str) {
        self.leave().await;
        if let Err(e) = self.client.goto(url).await {
            self.fail(&format!("could not open {url}: {e}")).await
        }
    }

    /// Waits until the page is gone from which the last click led to another.
    async fn leave(&self) {
        let way = self.way.lock().expect("no test panicked here").take();
        if let Some(way) = way {
            let left = async {
                while way.tag_name().await.is_ok() {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            };
            // Where a script answered the click, the page stays.
            let _ = tokio::time::timeout(LEAVING, left).await;
        }
    }

    /// The address the visitor is at.
    pub async fn url(&self) -> String {
        self.client
            .current_url()
            .await
            .map(String::from)
            .unwrap_or_default()
    }

    /// Fills in the field with this label, or else this name. Text is typed, a list is chosen from by what it shows or
    /// by value, a date is given as `2026-12-24` or `2026-12-24T18:00`, a tick is `on` or `off`, a file is its path.
    pub async fn fill(&self, field: &str, value: &str) {
        let element = self
            .wait_for_visible(&field_paths(field), &format!("a field {field:?}"))
            .await;
        if let Err(e) = self.fill_element(&element, value).await {
            self.fail(&format!("could not fill {value:?} into {field:?}: {e}"))
                .await
        }
    }

    async fn fill_element(
        &self,
        element: &Element,
        value: &str,
    ) -> Result<(), fantoccini::error::CmdError> {
        let tag = element.tag_name().await?;
        let kind = element.prop("type").await?.unwrap_or_default();
        match (tag.as_str(), kind.as_str()) {
            ("select", _) => match element.select_by_label(value).await {
                Ok(()) => Ok(()),
                Err(_) => element.select_by_value(value).await,
            },
            (_, "checkbox" | "radio") => {
                let wanted = value == "on";
                if element.is_selected().await? != wanted {
                    element.click().await?;
                }
                Ok(())
            }
            (_, "file") => element.send_keys(value).await,
            // Typing dates depends on the browser's language; this does not.
            (_, "date" | "datetime-local" | "time" | "color" | "range") => {
                let script = "arguments[0].value = arguments[1];
                    for (const name of ['input', 'change'])
                        arguments[0].dispatchEvent(new Event(name, { bubbles: true }));";
                let element = serde_json::to_value(element)?;
                self.client
                    .execute(script, vec![element, json!(value)])
                    .await
                    .map(|_| ())
            }
            _ => {
                element.clear().await?;
                element.send_keys(value).await
            }
        }
    }

    /// What the field with this label or name holds.
    pub async fn value_of(&self, field: &str) -> String {
        let element = self
            .wait_for_visible(&field_paths(field), &format!("a field {field:?}"))
            .await;
        element
            .prop("value")
            .await
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// Clicks the button, link or disclosure that says this: exactly, or else as part of its text.
    pub async fn click(&self, text: &str) {
        let element = self
            .wait_for_visible(
                &button_paths(text),
                &format!("something to click: {text:?}"),
            )
            .await;
        let leads_away = self.leads_away(&element).await;
        if let Err(e) = element.click().await {
            self.fail(&format!("could not click {text:?}: {e}")).await
        }
        let way = leads_away.then_some(element);
        *self.way.lock().expect("no test panicked here") = way;
    }

    async fn leads_away(&self, element: &Element) -> bool {
        let script = "const it = arguments[0].closest('a[href], button, input');
            if (!it || it.closest('[target=_blank]')) return false;
            if (it.matches('a')) return !it.getAttribute('href').startsWith('#') && !it.hasAttribute('download');
            return it.type === 'submit' && !!it.form && it.form.method !== 'dialog';";
        let Ok(element) = serde_json::to_value(element) else {
            return false;
        };
        let answer = self.client.execute(script, vec![element]).await;
        answer.is_ok_and(|answer| answer == Value::Bool(true))
    }

    /// The visible text of the first element that this CSS selector finds.
    pub async fn text_of(&self, css: &str) -> String {
        match self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
        {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(e) => {
                self.fail(&format!("nothing on the page is {css:?}: {e}"))
                    .await
            }
        }
    }

    /// How many elements this CSS selector finds now.
    pub async fn count(&self, css: &str) -> usize {
        self.client
            .find_all(Locator::Css(css))
            .await
            .map_or(0, |found| found.len())
    }

    /// Waits until this CSS selector finds so many elements: where the page before says the same words.
    pub async fn wait_for_count(&self, css: &str, wanted: usize) {
        let seen = tokio::time::timeout(PATIENCE, async {
            while self.count(css).await != wanted {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        if seen.await.is_err() {
            self.fail(&format!("{css:?} never found {wanted}")).await
        }
    }

    /// Waits until the visitor sees this text anywhere on the page; after a click that leads to another, on that one.
    pub async fn wait_for_text(&self, text: &str) {
        let wanted = squeeze(text);
        let seen = tokio::time::timeout(PATIENCE, async {
            loop {
                while !self.visible_text().await.contains(&wanted) {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                // The page before may have said it already.
                self.leave().await;
                if self.visible_text().await.contains(&wanted) {
                    return;
                }
            }
        });
        if seen.await.is_err() {
            self.fail(&format!("the page never said {text:?}")).await
        }
    }

    /// All text the visitor can see, blanks squeezed. Empty while a page is being changed for another.
    pub async fn visible_text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        match self.client.execute(script, Vec::new()).await {
            Ok(Value::String(text)) => squeeze(&text),
            _ => String::new(),
        }
    }

    /// Keeps a picture of the window as PNG.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let png = self
            .client
            .screenshot()
            .await
            .expect("the browser takes a picture");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("the folder for pictures");
        }
        std::fs::write(path, png).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// Makes the window this big, in CSS pixels, border included.
    pub async fn set_window_size(&self, width: u32, height: u32) {
        self.client
            .set_window_size(width, height)
            .await
            .expect("the window takes a size");
    }

    /// What the console complained about since it was last asked: script errors, missing files, what the content
    /// security policy refused.
    pub async fn console_errors(&self) -> Vec<String> {
        let log = reqwest::Client::new()
            .post(format!(
                "{}/session/{}/se/log",
                self.driver.address(),
                self.session
            ))
            .json(&json!({ "type": "browser" }))
            .send()
            .await
            .expect("chromedriver answers");
        let log: Value = log.json().await.expect("the log is JSON");
        let entries = log["value"]
            .as_array()
            .unwrap_or_else(|| panic!("no console log: {log}"));
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The first element on any of these XPaths, in their order, that the visitor can see.
    async fn wait_for_visible(&self, paths: &[String], what: &str) -> Element {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                for path in paths {
                    let all = self.client.find_all(Locator::XPath(path)).await;
                    for element in all.unwrap_or_default() {
                        if element.is_displayed().await.unwrap_or(false) {
                            return element;
                        }
                    }
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        match found.await {
            Ok(element) => element,
            Err(_) => self.fail(&format!("the page never had {what}")).await,
        }
    }

    async fn fail(&self, what: &str) -> ! {
        let (url, text) = (self.url().await, self.visible_text().await);
        panic!("{what}\nat {url} the visitor saw: {text}");
    }
}

/// Where a field can be: by its label in full, by the beginning of its label, by its name.
fn field_paths(field: &str) -> [String; 3] {
    let field = quoted(field);
    let labelled = |label: String| {
        format!(
            "//*[self::input[not(@type='hidden')] or self::select or self::textarea]\
             [@id=//label[{label}]/@for or ancestor::label[{label}]]"
        )
    };
    [
        labelled(format!("normalize-space(.)={field}")),
        labelled(format!("starts-with(normalize-space(.), {field})")),
        format!(
            "//*[self::input[not(@type='hidden')] or self::select or self::textarea][@name={field}]"
        ),
    ]
}

/// Where something to click can be: by its whole text, by part of it, by what it is called for screen readers.
fn button_paths(text: &str) -> [String; 3] {
    let text = quoted(text);
    let clickable = |says: &str| {
        format!(
            "//*[self::button[not(@tabindex='-1')] or self::a[@href] or self::summary][{says}] | \
             //input[@type='submit' or @type='button'][@value={text}]"
        )
    };
    [
        clickable(&format!("normalize-space(.)={text}")),
        clickable(&format!("contains(normalize-space(.), {text})")),
        clickable(&format!("@aria-label={text}")),
    ]
}

/// A string in XPath, which knows no escapes.
fn quoted(text: &str) -> String {
    if text.contains('\'') {
        format!("concat('{}')", text.replace('\'', "', \"'\", '"))
    } else {
        format!("'{text}'")
    }
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
