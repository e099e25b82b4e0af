//! A Unix socket that only its owner can reach.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::{UnixListener, UnixStream};

/// How long connecting to a socket may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A process listens there already.
    #[error("a process already listens at {0}")]
    InUse(PathBuf),
    /// Nobody listens there.
    #[error("nobody listens at {0}")]
    NobodyThere(PathBuf),
    /// Others than the owner could reach the socket, or it is somebody else's.
    #[error("{path} cannot be trusted: {why}")]
    Unsafe {
        /// The socket or its folder.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The operating system refused.
    #[error("cannot use the socket {path}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> SocketError + '_ {
    move |source| SocketError::Io {
        path: path.to_owned(),
        source,
    }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A listening socket. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct SocketServer {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of our file, so that another's is never removed.
    identity: (u64, u64),
}

impl SocketServer {
    /// Listens at `path`. The folder is made with permissions 0700 if it is not
    /// there; the socket has 0600. A socket left behind by a dead process is replaced.
    ///
    /// # Errors
    /// [`SocketError::InUse`] when a living process listens there,
    /// [`SocketError::Unsafe`] when others may write to the folder.
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        private_folder(path)?;
        remove_stale(path).await?;
        let listener = UnixListener::bind(path).map_err(|source| {
            if source.kind() == io::ErrorKind::AddrInUse {
                SocketError::InUse(path.to_owned())
            } else {
                io_error(path)(source)
            }
        })?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(io_error(path))?;
        let meta = fs::symlink_metadata(path).map_err(io_error(path))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity: (meta.dev(), meta.ino()),
        })
    }

    /// The next connection of the same user. Others are closed at once.
    ///
    /// # Errors
    /// What accepting gives.
    pub async fn accept(&self) -> Result<UnixStream, SocketError> {
        loop {
            let (stream, _) = self.listener.accept().await.map_err(io_error(&self.path))?;
            match stream.peer_cred() {
                Ok(credentials) if credentials.uid() == own_uid() => return Ok(stream),
                Ok(credentials) => tracing::warn!(
                    uid = credentials.uid(),
                    "a connection of another user was refused"
                ),
                Err(error) => tracing::debug!(%error, "a connection ended at once"),
            }
        }
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|meta| (meta.dev(), meta.ino()) == self.identity);
        if ours {
            // A file that stays is found stale by the next server.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Connects to the socket at `path` if its owner and its server are this user.
///
/// # Errors
/// [`SocketError::NobodyThere`] when there is no socket or no process behind it.
pub async fn connect(path: &Path) -> Result<UnixStream, SocketError> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, UnixStream::connect(path)).await;
    let stream = connecting
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                SocketError::NobodyThere(path.to_owned())
            }
            _ => io_error(path)(source),
        })?;
    let uid = stream.peer_cred().map_err(io_error(path))?.uid();
    if uid != own_uid() {
        return Err(SocketError::Unsafe {
            path: path.to_owned(),
            why: format!("its server runs as user {uid}"),
        });
    }
    Ok(stream)
}

fn private_folder(path: &Path) -> Result<(), SocketError> {
    let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) else {
        return Err(SocketError::Unsafe {
            path: path.to_owned(),
            why: "it has no folder of its own".to_owned(),
        });
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(io_error(path))?;
    let meta = fs::metadata(folder).map_err(io_error(path))?;
    let why = if meta.uid() != own_uid() {
        format!("it belongs to user {}", meta.uid())
    } else if meta.mode() & 0o077 != 0 {
        format!(
            "others may enter it (permissions {:o}, expected 700)",
            meta.mode() & 0o777
        )
    } else {
        return Ok(());
    };
    Err(SocketError::Unsafe {
        path: folder.to_owned(),
        why,
    })
}

async fn remove_stale(path: &Path) -> Result<(), SocketError> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(path)(error)),
    };
    if !meta.file_type().is_socket() {
        return Err(SocketError::Unsafe {
            path: path.to_owned(),
            why: "it is no socket".to_owned(),
        });
    }
    match connect(path).await {
        Err(SocketError::NobodyThere(_)) => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
            _ => Ok(()),
        },
        Ok(_) | Err(_) => Err(SocketError::InUse(path.to_owned())),
    }
}
