//! Who waits to hear of an order: a page that is being made, a payment that is being told. Only within this process; who
//! waits looks again after a while too, because another machine may have done the work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::ids::OrderId;

type Waiting = HashMap<OrderId, Vec<oneshot::Sender<()>>>;

/// One bell for each order that somebody waits for. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bells {
    waiting: Arc<Mutex<Waiting>>,
}

impl Bells {
    /// Listens for the order's bell from now on.
    pub fn listen(&self, order: OrderId) -> Bell {
        let (bell, rung) = oneshot::channel();
        self.lock().entry(order).or_default().push(bell);
        Bell {
            bells: self.clone(),
            order,
            rung,
        }
    }

    /// Something was heard of the order.
    pub fn ring(&self, order: OrderId) {
        let bells = self.lock().remove(&order);
        for bell in bells.into_iter().flatten() {
            // Who waited may have gone.
            let _ = bell.send(());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits; it rings once.
pub struct Bell {
    bells: Bells,
    order: OrderId,
    rung: oneshot::Receiver<()>,
}

impl Bell {
    /// Waits until it rings, `longest` at most.
    pub async fn wait(mut self, longest: Duration) {
        let _ = tokio::time::timeout(longest, &mut self.rung).await;
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.rung.close();
        let mut waiting = self.bells.lock();
        if let Some(bells) = waiting.get_mut(&self.order) {
            bells.retain(|bell| !bell.is_closed());
            if bells.is_empty() {
                waiting.remove(&self.order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bell_rings_for_its_order_only_and_nothing_is_kept() {
        let (bells, order) = (Bells::default(), OrderId::new());
        let (one, two) = (bells.listen(order), bells.listen(order));
        let other = bells.listen(OrderId::new());
        bells.ring(order);
        one.wait(Duration::from_secs(60)).await;
        two.wait(Duration::from_secs(60)).await;
        other.wait(Duration::ZERO).await;
        drop(bells.listen(order));
        assert!(bells.lock().is_empty());
    }
}
