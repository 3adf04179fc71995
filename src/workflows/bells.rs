//! Who waits to hear of an order: a page that is being made, a payment that is being told. Only within this process; who
//! waits looks again after a while too, because another machine may have done the work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::ids::OrderId;

/// How many pages are remembered that came before anybody listened.
const EARLY: usize = 4096;

#[derive(Debug, Default)]
struct Heard {
    waiting: HashMap<OrderId, Vec<oneshot::Sender<Option<String>>>>,
    /// Pages that came before anybody listened: a page may be quicker than the answer that its order is placed.
    early: HashMap<OrderId, String>,
}

/// One bell for each order that somebody waits for. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bells {
    heard: Arc<Mutex<Heard>>,
}

impl Bells {
    /// Listens for the order's bell from now on.
    pub fn listen(&self, order: OrderId) -> Bell {
        let (bell, rung) = oneshot::channel();
        let mut heard = self.lock();
        match heard.early.remove(&order) {
            Some(page) => {
                // It is listened to below.
                let _ = bell.send(Some(page));
            }
            None => heard.waiting.entry(order).or_default().push(bell),
        }
        drop(heard);
        Bell {
            bells: self.clone(),
            order,
            rung,
        }
    }

    /// Something was heard of the order: where it is paid, if its page came.
    pub fn ring(&self, order: OrderId, page: Option<String>) {
        let mut heard = self.lock();
        match (heard.waiting.remove(&order), page) {
            (Some(bells), page) => {
                for bell in bells {
                    // Who waited may have gone.
                    let _ = bell.send(page.clone());
                }
            }
            (None, Some(page)) => {
                if heard.early.len() >= EARLY {
                    heard.early.clear();
                }
                heard.early.insert(order, page);
            }
            (None, None) => {
                heard.early.remove(&order);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits; it rings once.
pub struct Bell {
    bells: Bells,
    order: OrderId,
    rung: oneshot::Receiver<Option<String>>,
}

impl Bell {
    /// Waits until it rings, `longest` at most: where the order is paid, if its page came.
    pub async fn wait(mut self, longest: Duration) -> Option<String> {
        match tokio::time::timeout(longest, &mut self.rung).await {
            Ok(Ok(page)) => page,
            _ => None,
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.rung.close();
        let mut heard = self.bells.lock();
        if let Some(bells) = heard.waiting.get_mut(&self.order) {
            bells.retain(|bell| !bell.is_closed());
            if bells.is_empty() {
                heard.waiting.remove(&self.order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_bell_rings_for_its_order_only_and_nothing_is_kept() {
        let (bells, order) = (Bells::default(), OrderId::new());
        let (one, two) = (bells.listen(order), bells.listen(order));
        let other = bells.listen(OrderId::new());
        bells.ring(order, Some("https://pay.example".into()));
        assert_eq!(one.wait(LONG).await.as_deref(), Some("https://pay.example"));
        assert!(two.wait(LONG).await.is_some());
        assert!(other.wait(Duration::ZERO).await.is_none());
        drop(bells.listen(order));
        assert!(bells.lock().waiting.is_empty() && bells.lock().early.is_empty());
    }

    #[tokio::test]
    async fn a_page_that_came_too_early_is_heard_of_once_while_it_is_true() {
        let (bells, order) = (Bells::default(), OrderId::new());
        bells.ring(order, Some("https://pay.example".into()));
        assert!(bells.listen(order).wait(LONG).await.is_some());
        assert!(bells.listen(order).wait(Duration::ZERO).await.is_none());
        bells.ring(order, Some("https://pay.example".into()));
        bells.ring(order, None);
        assert!(bells.listen(order).wait(Duration::ZERO).await.is_none());
    }
}
