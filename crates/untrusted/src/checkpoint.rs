//! What is read of checkpoints: the body of such a file, behind its hash, which whoever changes a file can make anew.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_graph::{Graph, Unary};
use secateur_prox::{Compensation, GroupLasso, GroupWeights, Inputs, Members, Part, Penalty};
use secateur_testkit::Stream;
use secateur_train::{
    AdamMetric, Architecture, Checkpoint, ClassLoss, Criterion, Decay, Event, Flow, ImageSize,
    Init, Mlp, Optimizer, Order, PenaltySettings, PenaltyStep, RemovalTime, Rows, Settings,
    StrengthChoice, Targets, fit,
};

/// How many times its bytes a checkpoint takes at most while it is read; `SECURITY.md` says so, too.
pub const CHECKPOINT_MULTIPLE: u64 = 256;
/// What any network may take beside: 64 MiB for shapes, and 256 MiB for numbers that follow from them.
pub const NETWORK_BYTES: u64 = 320 << 20;

const CLASSES: usize = 3;
const FEATURES: usize = 5;
const IMAGE: ImageSize = ImageSize {
    channels: 1,
    height: 8,
    width: 8,
};

/// Checkpoints of tiny networks, by name: two chains and two that convolve, as kept behind their second epoch.
///
/// # Panics
/// If one cannot be trained.
pub fn checkpoint_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let momentum = Optimizer::Sgd {
        momentum: 0.9,
        nesterov: false,
    };
    let plain = Rows::new(values(FEATURES), FEATURES, targets());
    let pixels = IMAGE.channels * IMAGE.height * IMAGE.width;
    let images = Rows::new(values(pixels), pixels, targets())
        .and_then(|rows| rows.with_shape(vec![IMAGE.channels, IMAGE.height, IMAGE.width]));
    let (plain, images) = (plain.expect("rows"), images.expect("images"));
    vec![
        ("chain", kept(chain(), &plain, momentum, Part::Full)),
        ("adam", kept(chain(), &plain, Optimizer::Adam, budget())),
        (
            "vgg",
            kept(named("vgg-small"), &images, momentum, Part::Full),
        ),
        (
            "resnet",
            kept(named("resnet20"), &images, Optimizer::Adam, budget()),
        ),
    ]
}

/// Reads the body of a checkpoint; whether there is one.
///
/// # Panics
/// If what was read cannot be stored, or comes back as something else.
pub fn read_checkpoint(bytes: &[u8]) -> bool {
    let Ok(read) = postcard::from_bytes::<Checkpoint>(bytes) else {
        return false;
    };
    let stored = postcard::to_allocvec(&read).expect("what was read can be stored");
    drop(read);
    let again = postcard::from_bytes::<Checkpoint>(&stored).expect("what was stored can be read");
    let twice = postcard::to_allocvec(&again).expect("and stored");
    assert!(twice == stored, "a checkpoint comes back as another");
    true
}

fn kept(graph: Graph, rows: &Rows, optimizer: Optimizer, part: Part) -> Vec<u8> {
    let settings = Settings {
        steps: None,
        order: Order::Shuffled,
        optimizer,
        rate: 0.05,
        decay: Decay::Cosine,
        warm_up: 0,
        weight_decay: 0.0,
        epochs: 3,
        settle: 1,
        batch: 4,
        seed: 3,
        threads: 1,
        penalty: Some(penalty(part)),
    };
    let mut bytes = vec![];
    let mut observer = |event: Event<'_>| {
        if let Event::Rest(rest) = event {
            let checkpoint = rest.checkpoint().expect("a run at rest");
            if checkpoint.epochs() == 2 {
                bytes = postcard::to_allocvec(&checkpoint).expect("a checkpoint");
            }
        }
        Flow::Continue
    };
    fit(graph, rows.clone(), rows, &settings, &mut observer).expect("a trained network");
    assert!(!bytes.is_empty(), "nothing was kept");
    bytes
}

fn chain() -> Graph {
    let mlp = Mlp {
        init: Init::Scaled,
        inputs: FEATURES,
        hidden: vec![4, 3],
        outputs: CLASSES,
        activation: Unary::Relu,
    };
    mlp.build(&mut ChaCha8Rng::seed_from_u64(7))
        .expect("a chain")
}

fn named(name: &str) -> Graph {
    let architecture: Architecture = name.parse().expect("a name");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    architecture
        .build(IMAGE, CLASSES, 0.06, Init::Scaled, &mut rng)
        .expect("a network")
}

fn budget() -> Part {
    "budget:60%".parse().expect("a part")
}

fn penalty(part: Part) -> PenaltySettings {
    PenaltySettings {
        penalty: Penalty::GroupLasso(GroupLasso),
        part,
        inputs: Inputs::Spared,
        members: Members::Outgoing,
        weights: GroupWeights::CurrentWidths,
        compensation: Compensation::Off,
        strength: StrengthChoice::Balance(2.0),
        step: PenaltyStep::Proximal,
        adam_metric: AdamMetric::Mean,
        removal: RemovalTime::Epoch,
        floor: 1,
        round: 1,
        stages: 1,
        by: Criterion::Flap,
    }
}

const ROWS: usize = 12;

fn values(columns: usize) -> Vec<f32> {
    let mut stream = Stream::new(5);
    let value = |_| (2.0 * stream.unit() - 1.0) as f32;
    (0..ROWS * columns).map(value).collect()
}

fn targets() -> Targets {
    Targets::Classes {
        labels: (0..ROWS).map(|row| (row % CLASSES) as u32).collect(),
        weights: vec![1.0; CLASSES],
        loss: ClassLoss::CrossEntropy,
    }
}
