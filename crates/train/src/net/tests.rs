//! Networks of any form beside formulas that are written down once more, in double precision.

mod by_hand;
mod costs;
mod criteria;
mod limits;
mod moves;
mod networks;
mod order;
mod parts;
mod proximal;
mod ranking;
mod removals;
mod rows;
mod strength;
mod weights;
