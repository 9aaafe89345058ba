//! The rules of the house: which room may see which, where dangerous libraries may appear, and that the
//! pages which make claims about the code are true. They read the tree and run nothing.

#[cfg(test)]
mod attacks_page;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod rules_page;
#[cfg(test)]
mod tree;
