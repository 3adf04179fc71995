//! Each story that moves money dies after each of its effects, is started anew on the same data, and is lived to its end
//! by people who try again what was not answered. It is also lived with all its work done twice, and with its work done
//! in reverse. However it went, it ends the same way, and the rules of domain section 7 hold.

mod after;
mod batches;
mod cards;
mod changes;
mod delays;
mod goods;
mod minimum;
mod people;
mod stories;
mod telling;
mod waiting;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Duration;
use muster::domain::ids::OrderId;
use muster::store::{jobs, mails};
use serde_json::Value;

use crate::support::database::TestDatabase;
use crate::support::life::Life;
use crate::support::shop::{Shop, Stopped};

/// By then the leases of whoever died have ended.
const LEASES_END: Duration = Duration::minutes(2);

/// Lives a story at each step. `before` leads up to it, once, and nothing dies in it. `tell` is the story: what people
/// do, and what must hold in the end. It is told again from its beginning after a crash, so whatever people do in it
/// they do only if it is not done.
async fn at_each_step<S>(
    db: TestDatabase,
    before: impl AsyncFn(&Shop) -> S,
    tell: impl AsyncFn(&Shop, &S),
) {
    let shop = Shop::open(db.in_memory()).await;
    let scene = before(&shop).await;
    shop.audit().await;
    let known = sent_by_the_books(&shop).await;
    let mut stopped = shop.stop().await;
    stopped.db.keep();
    let mut story = Story {
        scene,
        tell,
        known,
        lives: Vec::new(),
        how: String::new(),
    };
    for (how, on_postgres, on_sqlite) in [
        ("each work done twice", TWICE_POSTGRES, TWICE_SQLITE),
        ("work done in reverse", REVERSED_POSTGRES, REVERSED_SQLITE),
    ] {
        story.begin(how);
        stopped.db.rewind();
        stopped.db.execute(on_postgres, on_sqlite);
        stopped = story.live(stopped, None).await.0;
        stopped.db.execute(NORMAL_POSTGRES, "");
    }
    for effects in 0.. {
        story.begin(&format!("dead after {effects} effects"));
        stopped.db.rewind();
        let (after, ended) = story.live(stopped, Some(effects)).await;
        stopped = after;
        if !ended {
            break;
        }
        stopped = story.live(stopped, None).await.0;
    }
    story.begin("ended well");
}

/// A story being lived, and its lives so far.
struct Story<S, F> {
    scene: S,
    tell: F,
    known: BTreeSet<String>,
    lives: Vec<Arc<Life>>,
    how: String,
}

impl<S, F: AsyncFn(&Shop, &S)> Story<S, F> {
    fn begin(&mut self, how: &str) {
        self.lives.clear();
        how.clone_into(&mut self.how);
    }

    /// One life of the program; whether it ended before the story did.
    async fn live(&mut self, stopped: Stopped, effects: Option<usize>) -> (Stopped, bool) {
        let again = !self.lives.is_empty();
        let life = Life::ending_after(effects);
        self.lives.push(life.clone());
        let shop = stopped.start_with(life.seams()).await;
        let ended = tokio::select! {
            biased;
            () = life.end() => true,
            () = self.to_its_end(&shop, again) => false,
        };
        (shop.stop().await, ended)
    }

    async fn to_its_end(&self, shop: &Shop, again: bool) {
        if again {
            // Nothing of what was kept is half done.
            shop.audit().await;
            self.forget_leases(shop).await;
        }
        (self.tell)(shop, &self.scene).await;
        shop.audit().await;
        self.mails_are_what_the_books_say(shop).await;
    }

    /// Whoever had them is dead. The only worker of an embedded database frees them when it starts; others wait.
    async fn forget_leases(&self, shop: &Shop) {
        if shop.is_on_postgres() {
            shop.advance(LEASES_END).await;
        } else {
            shop.write(|_, tx| Ok(jobs::free_all(tx.conn)?))
                .await
                .unwrap();
        }
    }

    /// A mail may be repeated, under its own id; none goes out that the books do not know, and none is left out.
    async fn mails_are_what_the_books_say(&self, shop: &Shop) {
        let sent: BTreeSet<String> = self
            .lives
            .iter()
            .flat_map(|life| life.effects())
            .filter_map(|effect| Some(effect.strip_prefix("mail ")?.to_owned()))
            .filter_map(|mail| Some(mail.rsplit_once(": ")?.1.to_owned()))
            .collect();
        let books = sent_by_the_books(shop).await;
        let new: BTreeSet<String> = books.difference(&self.known).cloned().collect();
        assert_eq!(sent, new);
    }
}

impl<S, F> Drop for Story<S, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it failed: {}", self.how);
            for life in &self.lives {
                eprintln!("a life of these effects: {:#?}", life.effects());
            }
        }
    }
}

async fn sent_by_the_books(shop: &Shop) -> BTreeSet<String> {
    let all = shop.read(|conn| mails::delivered(conn, 1000)).await;
    all.into_iter().map(|mail| mail.id.to_string()).collect()
}

/// At the provider, by its own lists: what each of an order's charges is over, and each refund that did not fail.
async fn movements(shop: &Shop, order: OrderId) -> (Vec<i64>, Vec<i64>) {
    let of = |list: Value, failed: &str| -> Vec<i64> {
        let all = list["data"].as_array().expect("a list").iter();
        all.filter(|one| one["metadata"]["order"] == order.to_string())
            .filter(|one| one["status"] != failed)
            .map(|one| one["amount"].as_i64().expect("an amount"))
            .collect()
    };
    (
        of(shop.provider("charges?limit=100").await, "failed"),
        of(shop.provider("refunds?limit=100").await, "failed"),
    )
}

/// Each work is done twice: its lease ended after it ran, and before its end was kept.
const TWICE_SQLITE: &str = "
CREATE TABLE done_once (kind TEXT, subject TEXT, wanted INTEGER, run_at TEXT, PRIMARY KEY (kind, subject, wanted, run_at));
CREATE TRIGGER gone_once AFTER DELETE ON jobs
WHEN NOT EXISTS (SELECT 1 FROM done_once d WHERE d.kind = OLD.kind AND d.subject = OLD.subject
    AND d.wanted = OLD.wanted AND d.run_at = OLD.run_at)
BEGIN
    INSERT INTO done_once VALUES (OLD.kind, OLD.subject, OLD.wanted, OLD.run_at);
    INSERT INTO jobs (kind, subject, run_at, priority, wanted, attempts, created_at)
        VALUES (OLD.kind, OLD.subject, OLD.run_at, OLD.priority, OLD.wanted, OLD.attempts, OLD.created_at);
END;
CREATE TRIGGER put_off_once AFTER UPDATE ON jobs
WHEN NEW.leased_until IS NULL AND OLD.leased_until IS NOT NULL AND NEW.run_at > OLD.run_at
    AND NOT EXISTS (SELECT 1 FROM done_once d WHERE d.kind = OLD.kind AND d.subject = OLD.subject
        AND d.wanted = OLD.wanted AND d.run_at = OLD.run_at)
BEGIN
    INSERT INTO done_once VALUES (OLD.kind, OLD.subject, OLD.wanted, OLD.run_at);
    UPDATE jobs SET run_at = OLD.run_at WHERE kind = OLD.kind AND subject = OLD.subject;
END;";
const TWICE_POSTGRES: &str = "
CREATE TABLE done_once (kind TEXT, subject TEXT, wanted BIGINT, run_at TIMESTAMP,
    PRIMARY KEY (kind, subject, wanted, run_at));
CREATE FUNCTION once_more() RETURNS trigger AS $$ BEGIN
    IF TG_OP = 'UPDATE' AND NOT (NEW.leased_until IS NULL AND OLD.leased_until IS NOT NULL
        AND NEW.run_at > OLD.run_at) THEN RETURN NULL; END IF;
    INSERT INTO done_once VALUES (OLD.kind, OLD.subject, OLD.wanted, OLD.run_at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE jobs SET run_at = OLD.run_at WHERE kind = OLD.kind AND subject = OLD.subject;
    ELSE
        OLD.leased_until := NULL;
        INSERT INTO jobs SELECT OLD.*;
    END IF;
    RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER once_more AFTER UPDATE OR DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION once_more();";

/// What was put down last is done first.
const REVERSED_SQLITE: &str = "
CREATE TRIGGER first_comes_last AFTER INSERT ON jobs BEGIN
    UPDATE jobs SET priority = (SELECT MIN(priority) - 1 FROM jobs)
        WHERE kind = NEW.kind AND subject = NEW.subject;
END;";
const REVERSED_POSTGRES: &str = "
CREATE FUNCTION first_comes_last() RETURNS trigger AS $$ BEGIN
    NEW.priority := COALESCE((SELECT MIN(priority) - 1 FROM jobs), 0);
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER first_comes_last BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION first_comes_last();";

const NORMAL_POSTGRES: &str = "
DROP TRIGGER IF EXISTS once_more ON jobs; DROP FUNCTION IF EXISTS once_more; DROP TABLE IF EXISTS done_once;
DROP TRIGGER IF EXISTS first_comes_last ON jobs; DROP FUNCTION IF EXISTS first_comes_last;";
