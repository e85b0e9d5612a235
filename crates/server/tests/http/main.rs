//! The server as browsers and administrators meet it: the real binary, real sockets, both databases.

mod accounts;
mod administration;
mod app;
mod authenticator;
mod calls;
mod choices;
mod commands;
mod connections;
mod directory;
mod factors;
mod fake_provider;
mod import;
mod invites;
mod ldap;
mod life;
mod limits;
mod links;
mod meetings;
mod metrics;
mod my_rooms;
mod own;
mod pages;
mod passkeys;
mod people;
mod provider;
mod push;
mod rooms;
mod scim;
mod sso;
mod upgrade;

#[path = "../support/mail.rs"]
mod mail;
#[path = "../support/mod.rs"]
mod support;
