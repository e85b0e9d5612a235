//! How fast people are found among 50 000, on SQLite and on PostgreSQL: whole requests to the real binary, one at a time.
//!
//! `cargo xtask bench directory`. Makes the people itself, the same ones each time, behind the server's back, as a version
//! before the directory left them.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support;

use support::{House, PASSWORD, Person, answer};

const PEOPLE: usize = 50_000;
/// One account may not search as often as this measures.
const READERS: usize = 25;
const SEARCHES_EACH: usize = 38;
/// Each search so often: all of it counts, and apart from that the best, which tells what the search costs on a machine
/// that does other things too.
const TIMES_EACH: usize = 3;
const PER_STATEMENT: usize = 500;

const RULES: &str =
    "[[policy.visibility]]\ngroup = \"Schüler\"\nsees = [\"Lehrer\", \"Verwaltung\"]\n";
/// Every so many people one is in it.
const GROUPS: &[(&str, usize)] = &[("Schüler", 2), ("Lehrer", 8), ("Verwaltung", 100)];

/// By how often they are met, roughly.
const FIRST: &str = "Anna Maria Thomas Michael Andreas Peter Sabine Stefan Christian Julia Martin Ursula Daniel Sandra Jan \
    Katharina Alexander Andrea Markus Monika Jürgen Claudia Wolfgang Nicole Tobias Lena Sebastian Stefanie Matthias Laura \
    Philipp Jörg Sarah Mohamed Ali Emre Ayşe Fatma Mehmet Mustafa Łukasz Małgorzata Piotr Agnieszka José María François \
    Élodie Søren Bjørn Åsa Zoë Chloë Günther Käthe Änne Björn Sören Uwe Heinz Hans-Peter Anna-Lena Karl-Heinz Eva-Maria \
    Dmitri Ольга Сергей Giórgos Nguyễn Thị Wei Min-jun Ahmed Amina Yusuf İbrahim Şeyma Zeynep Ivan Jelena Đorđe Nikola \
    Luca Giulia Matteo Chiara Nuno João Inês Siobhán Seán Óscar Jiří Tomáš Kateřina Zsófia László Ștefan Ioana";
const LAST: &str = "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein \
    Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier \
    Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß \
    Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht \
    Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich \
    Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer \
    Arnold Wolff Pfeiffer Yılmaz Kaya Demir Şahin Çelik Öztürk Aydın Nowak Kowalski Wiśniewski Wójcik Kamiński Żółć \
    Novák Dvořák Horváth Kovács Popescu Ionescu García Fernández López Silva Santos Pereira Rossi Russo Ferrari Dubois \
    Lefèvre Bjørnstad Ødegård Åkesson O’Brien Nguyễn Trần Nguyen Kim Lee Wang Petrović Jovanović Иванов Петрова \
    Mueller-Lüdenscheidt van-der-Berg El-Sayed Abdullah Hussein Osman Papadopoulos Sjöström Mąka Łoś Æbelø";

/// Asked by everybody besides what begins like somebody's names: beginnings that many names have in common.
const COMMON: &[&str] = &[
    "mül",
    "sch",
    "an sch",
    "and",
    "mar",
    "müller",
    "schm",
    "ann mül",
    "mar sch ann",
    "example",
    "mueller anna",
    "bec",
];

struct Made {
    name: String,
    username: String,
}

/// SplitMix64: the same people and the same searches each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % below as u64).expect("a small number")
    }

    /// The first far more often than the last.
    fn common<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let lower = self.roll(all.len()).min(self.roll(all.len()));
        all[lower]
    }
}

fn people() -> Vec<Made> {
    let (first, last): (Vec<_>, Vec<_>) = (
        FIRST.split_whitespace().collect(),
        LAST.split_whitespace().collect(),
    );
    let mut dice = Dice(7);
    (0..PEOPLE)
        .map(|number| {
            let mut name = format!("{} {}", dice.common(&first), dice.common(&last));
            if dice.roll(10) == 0 {
                name = format!("{name}-{}", dice.common(&last));
            }
            let username = format!("p{number}");
            Made { name, username }
        })
        .collect()
}

/// One to three words of somebody, cut after three to six letters, or a beginning that many have.
fn searches(people: &[Made], dice: &mut Dice) -> Vec<String> {
    (0..SEARCHES_EACH)
        .map(|number| {
            if number % 4 == 0 {
                return COMMON[dice.roll(COMMON.len())].to_owned();
            }
            let person = &people[dice.roll(people.len())];
            let words = person.name.split([' ', '-']).take(1 + dice.roll(3));
            let cut: Vec<String> = words
                .map(|word| word.chars().take(3 + dice.roll(4)).collect())
                .collect();
            cut.join(" ")
        })
        .collect()
}

fn statements(people: &[Made]) -> Vec<String> {
    let mut all = Vec::new();
    for (name, _) in GROUPS {
        let key = name.to_lowercase();
        all.push(format!(
            "INSERT INTO groups (id, name, name_key, created) VALUES ('{name}', '{name}', '{key}', 1)"
        ));
    }
    let numbered: Vec<_> = people.iter().enumerate().collect();
    for some in numbered.chunks(PER_STATEMENT) {
        let rows = some.iter().map(|(number, person)| {
            let Made { name, username } = person;
            let mail = name.replace([' ', '’'], ".").to_lowercase();
            format!(
                "('{number:032}', '{username}', '{username}', '{name}', '{mail}{number}@example.org', FALSE, \
                 (SELECT password_hash FROM users WHERE username_key = 'anna'), 1)"
            )
        });
        let rows: Vec<_> = rows.collect();
        all.push(format!(
            "INSERT INTO users (id, username, username_key, name, mail, admin, password_hash, created) VALUES {}",
            rows.join(", ")
        ));
    }
    for (name, every) in GROUPS {
        let members = numbered.iter().filter(|(number, _)| number % every == 1);
        let rows: Vec<_> = members
            .map(|(number, _)| format!("('{name}', '{number:032}', 'ldap')"))
            .collect();
        for some in rows.chunks(PER_STATEMENT) {
            all.push(format!(
                "INSERT INTO group_people (group_id, user_id, source) VALUES {}",
                some.join(", ")
            ));
        }
    }
    all
}

async fn fill(house: &House, people: &[Made]) {
    let all = statements(people).join(";\n");
    let all = sqlx::AssertSqlSafe(format!("BEGIN;\n{all};\nCOMMIT"));
    let filled = match house.postgres_url() {
        Some(url) => {
            let pool = sqlx::PgPool::connect(url).await.expect("the database");
            sqlx::raw_sql(all).execute(&pool).await.map(drop)
        }
        None => {
            let file = house.directory.0.join("data/stube.db");
            let url = format!("sqlite://{}", file.to_str().expect("an ASCII path"));
            let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
            sqlx::raw_sql(all).execute(&pool).await.map(drop)
        }
    };
    filled.expect("people");
}

/// How long each request took, and how many people were found in all.
#[derive(Default)]
struct Times(Vec<Duration>, usize);

impl Times {
    async fn take(&mut self, person: &Person, path: &str) {
        let began = Instant::now();
        let answer = answer(person.request(Method::GET, path)).await;
        self.0.push(began.elapsed());
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        self.1 += answer.json()["people"].as_array().map_or(0, Vec::len);
    }

    /// Of each search the best.
    fn best(&self) -> Self {
        let best = self
            .0
            .chunks(TIMES_EACH)
            .filter_map(|same| same.iter().min());
        Self(best.copied().collect(), self.1 / TIMES_EACH)
    }

    fn print(mut self, what: &str) {
        self.0.sort();
        let at = |part: usize| self.0[(self.0.len() - 1) * part / 100].as_secs_f64() * 1e3;
        let found = self.1 as f64 / self.0.len() as f64;
        println!(
            "  {what:<42}{:>7.1}{:>7.1}{:>7.1}   {found:>5.1} people each, {} requests",
            at(50),
            at(95),
            at(100),
            self.0.len()
        );
    }
}

/// Readers of whom `who` says that they are in group Schüler or not.
async fn measure(house: &House, people: &[Made], what: &str, pupils: bool) {
    let mut dice = Dice(11);
    let mut times = Times::default();
    let is_pupil = |number: &usize| number % 2 == 1;
    let readers = (0..people.len()).filter(|number| is_pupil(number) == pupils);
    for number in readers.take(READERS) {
        let person = house.person();
        let signed_in = person.sign_in(&people[number].username, PASSWORD).await;
        assert_eq!(signed_in.status, StatusCode::OK, "{signed_in:?}");
        for text in searches(people, &mut dice) {
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let path = format!("/api/v1/people?q={encoded}");
            for _ in 0..TIMES_EACH {
                times.take(&person, &path).await;
            }
        }
    }
    times.best().print(&format!("{what}, best of {TIMES_EACH}"));
    times.print(what);
}

async fn bench(house: House, database: &str, people: &[Made]) {
    fs::write(house.directory.0.join("stube.toml"), RULES).expect("a file");
    let (mut house, _anna) = house.with_anna().await;
    house.stop();
    fill(&house, people).await;
    let began = Instant::now();
    house.start();
    println!(
        "{database}: the first start, which makes the index of {PEOPLE} people, took {:.1} s",
        began.elapsed().as_secs_f64()
    );
    println!(
        "  {:<42}{:>7}{:>7}{:>7}",
        "ms per request", "p50", "p95", "max"
    );
    let anna = house.person();
    anna.sign_in("anna", PASSWORD).await;
    let mut nothing = Times::default();
    for _ in 0..100 {
        nothing.take(&anna, "/api/v1/me").await;
    }
    nothing.print("for comparison: GET /me");
    measure(&house, people, "by who sees everybody", false).await;
    measure(&house, people, "by who sees some groups only", true).await;
    house.stop();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let people = people();
    println!("Searches of 1 to 3 words with 3 to 6 letters each, among {PEOPLE} people.");
    bench(House::new(), "SQLite", &people).await;
    bench(House::on_postgres(), "PostgreSQL", &people).await;
}
