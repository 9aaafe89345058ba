//! The database of the server under test, for who works on it past the program: backup, restore, by hand.

use std::path::Path;

use store::{DatabaseUrl, Restored, Store};
use types::Clock as _;

use super::TestServer;
use crate::{TestkitError, home};

impl TestServer {
    /// The URL of its database, as the owner of the tables: for who changes it past the program.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        &self.database.owner_url
    }

    /// The role that serves its database and owns nothing, on PostgreSQL.
    #[must_use]
    pub fn serving_role(&self) -> Option<&str> {
        self.database.serves.as_deref()
    }

    /// Writes a backup, as `ardoise backup` does, while it serves.
    ///
    /// # Errors
    /// [`TestkitError::Store`].
    pub async fn backup(&self, to: &Path) -> Result<(), TestkitError> {
        Ok(Store::backup(self.database.owner_url.parse()?, to.to_path_buf()).await?)
    }

    /// Stops the server, brings a backup back into its database, which someone has emptied, as `ardoise restore`
    /// does, and starts again.
    ///
    /// # Errors
    /// [`TestkitError::Store`] with the refusal.
    pub async fn restore(&mut self, from: &Path) -> Result<Restored, TestkitError> {
        self.stop().await;
        let vault =
            home::config(self.folder.path(), &self.flags)?.open_vault().map_err(TestkitError::other)?;
        let owner: DatabaseUrl = self.database.owner_url.parse()?;
        let restored = Store::restore(owner.clone(), vault, from.to_path_buf(), self.clock.now()).await?;
        if let Some(role) = &self.database.serves {
            Store::grant(owner, role.clone()).await?;
        }
        self.run().await?;
        Ok(restored)
    }
}
