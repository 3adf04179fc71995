//! Who may do what in a merchant's panel (domain section 1).

use super::words::words;

words! {
    /// What a person of the staff may do.
    Role {
        /// Everything, staff and settings included.
        Owner = "owner",
        /// Campaigns, suppliers, orders and money.
        Manager = "manager",
        /// Orders, receipts and shipments; no money.
        Fulfilment = "fulfilment",
        /// Looks, changes nothing.
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether the role may change campaigns, suppliers and money.
    pub fn may_manage(self) -> bool {
        matches!(self, Role::Owner | Role::Manager)
    }

    /// Whether the role may count deliveries and send parcels.
    pub fn may_ship(self) -> bool {
        matches!(self, Role::Owner | Role::Manager | Role::Fulfilment)
    }

    /// Whether the role may change settings and staff.
    pub fn may_own(self) -> bool {
        matches!(self, Role::Owner)
    }
}
