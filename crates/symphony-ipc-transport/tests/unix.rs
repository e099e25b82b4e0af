//! The owner's Unix socket.
#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};
use symphony_ipc_transport::{
    Incoming, Peer, PeerOptions,
    unix::{SocketError, SocketServer, connect},
};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_owner_can_reach_it_and_it_carries_calls() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run").join("host.sock");
    let server = SocketServer::bind(&path).await.unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let serving = tokio::spawn(async move {
        let (read, write) = server.accept().await.unwrap().into_split();
        let (_peer, mut incoming) = Peer::start(read, write, PeerOptions::default());
        while let Some(message) = incoming.recv().await {
            if let Incoming::Request {
                params, responder, ..
            } = message
            {
                responder.respond(Ok(params)).await.unwrap();
            }
        }
    });
    let (read, write) = connect(&path).await.unwrap().into_split();
    let (peer, _incoming) = Peer::start(read, write, PeerOptions::default());
    let params = json!({"a": 1});
    let answer = peer.call("echo", &params, Duration::from_secs(1)).await;
    assert_eq!(answer.unwrap(), params);
    drop(peer);
    serving.await.unwrap();
    assert!(!path.exists(), "the socket goes with its server");
}

#[tokio::test]
async fn a_living_server_is_not_replaced_a_dead_one_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").join("host.sock");
    let first = SocketServer::bind(&path).await.unwrap();
    assert!(matches!(
        SocketServer::bind(&path).await,
        Err(SocketError::InUse(_))
    ));
    drop(first);
    // What a killed process leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(matches!(
        connect(&path).await,
        Err(SocketError::NobodyThere(_))
    ));
    SocketServer::bind(&path).await.unwrap();
}

#[tokio::test]
async fn an_open_folder_or_a_file_in_the_way_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = SocketServer::bind(&dir.path().join("a.sock"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("others may enter"), "{error}");
    let path = dir.path().join("private").join("b.sock");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(&path, "precious").unwrap();
    let error = SocketServer::bind(&path).await.unwrap_err();
    assert!(error.to_string().contains("no socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert!(matches!(
        connect(&dir.path().join("none.sock")).await,
        Err(SocketError::NobodyThere(_))
    ));
}
