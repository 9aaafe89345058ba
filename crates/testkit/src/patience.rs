//! Waiting for what happens elsewhere, without guessing how long it takes.

use std::future::Future;

use types::Duration;

use crate::TestkitError;

/// How long to wait, and how often to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Give up after this.
    pub limit: Duration,
    /// The pause between two looks.
    pub pause: Duration,
}

impl Default for Patience {
    /// Looks every 20 ms for half a minute: a test that fails may take long, one that passes does not.
    fn default() -> Self {
        Self { limit: Duration::from_secs(30), pause: Duration::from_millis(20) }
    }
}

/// Looks until `look` finds something, and gives it. `what` finishes the sentence “waited in vain until …”.
///
/// # Errors
/// [`TestkitError::TimedOut`] when patience is over; at once what `look` fails with.
pub async fn wait_until<T, F, L>(what: &str, patience: Patience, mut look: L) -> Result<T, TestkitError>
where
    L: FnMut() -> F,
    F: Future<Output = Result<Option<T>, TestkitError>>,
{
    let looking = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(patience.pause).await;
        }
    };
    match tokio::time::timeout(patience.limit, looking).await {
        Ok(found) => found,
        Err(_elapsed) => {
            Err(TestkitError::TimedOut { what: what.to_owned(), seconds: patience.limit.as_secs() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn waiting_ends_with_what_was_found_or_says_what_was_missing() {
        let mut looks = 0;
        let found = wait_until("the third look", Patience::default(), || {
            looks += 1;
            let found = (looks == 3).then_some(looks);
            async move { Ok(found) }
        });
        assert_eq!(found.await.unwrap(), 3);

        let short = Patience { limit: Duration::from_millis(1), pause: Duration::from_secs(5) };
        let error = wait_until::<(), _, _>("the sky falls", short, || async { Ok(None) }).await.unwrap_err();
        assert!(error.to_string().contains("until the sky falls"), "{error}");
    }
}
