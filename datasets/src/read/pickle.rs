//! The part of pickle protocol 2 that a state dictionary of PyTorch is written in; nothing is executed.

use std::collections::BTreeMap;

/// A tensor of single precision whose numbers lie one after the other, row after row, in a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor {
    /// Its name in the dictionary.
    pub(super) name: String,
    /// The key of its storage.
    pub(super) storage: String,
    /// The place of its first number there.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
}

/// What a pickle can build here.
#[derive(Debug, Clone)]
enum Value {
    Flag,
    Count(usize),
    Text(String),
    Global(String),
    Tuple(Vec<Self>),
    Dictionary(Vec<(Self, Self)>),
    Storage(String),
    Tensor(Tensor),
}

const DICTIONARY: &str = "collections.OrderedDict";
const TENSOR: &str = "torch._utils._rebuild_tensor_v2";
const STORAGE: &str = "torch.FloatStorage";
/// A dictionary holds no more: what needs more steps is something else.
const MOST: usize = 1 << 20;

/// The tensors of the dictionary that a pickle holds.
///
/// # Errors
/// What is in it beside tensors of single precision by name, in words.
pub(super) fn tensors(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let Value::Dictionary(entries) = unpickled(bytes)? else {
        return Err("it does not hold a dictionary".into());
    };
    let tensor = |entry: (Value, Value)| match entry {
        (Value::Text(name), Value::Tensor(tensor)) => Ok(Tensor { name, ..tensor }),
        _ => Err("it holds more than tensors by name".into()),
    };
    entries.into_iter().map(tensor).collect()
}

/// Runs the machine of the format: a stack, marks in it, and a memory of what was built.
fn unpickled(bytes: &[u8]) -> Result<Value, String> {
    let mut input = Input(bytes);
    let (mut stack, mut marks, mut memory) = (Vec::new(), Vec::new(), BTreeMap::new());
    for _ in 0..MOST {
        let value = match input.byte()? {
            0x80 => {
                input.byte()?;
                continue;
            }
            b'(' => {
                marks.push(stack.len());
                continue;
            }
            kind @ (b'q' | b'r') => {
                let place = if kind == b'q' { u32::from(input.byte()?) } else { input.word()? };
                let last: &Value = stack.last().ok_or(UNBALANCED)?;
                memory.insert(place, last.clone());
                continue;
            }
            // The attributes of the dictionary itself: versions of its layers.
            b'b' => {
                stack.pop();
                continue;
            }
            b's' => {
                let (value, key) = (pop(&mut stack)?, pop(&mut stack)?);
                insert(&mut stack, vec![key, value])?;
                continue;
            }
            b'u' => {
                let entries = above(&mut stack, &mut marks)?;
                insert(&mut stack, entries)?;
                continue;
            }
            b'.' => return pop(&mut stack),
            kind @ (b'h' | b'j') => {
                let place = if kind == b'h' { u32::from(input.byte()?) } else { input.word()? };
                memory.get(&place).ok_or("it recalls what it has not built")?.clone()
            }
            0x88 | 0x89 => Value::Flag,
            b'K' => Value::Count(input.byte()?.into()),
            b'M' => Value::Count(usize::from(input.byte()?) + 256 * usize::from(input.byte()?)),
            b'J' => Value::Count(input.word()? as usize),
            b'X' => {
                let length = input.word()? as usize;
                Value::Text(text(input.take(length)?)?)
            }
            b'c' => Value::Global(format!("{}.{}", input.line()?, input.line()?)),
            b'}' => Value::Dictionary(Vec::new()),
            b')' => Value::Tuple(Vec::new()),
            b't' => Value::Tuple(above(&mut stack, &mut marks)?),
            kind @ 0x85..=0x87 => {
                let first = stack.len().checked_sub(usize::from(kind - 0x84)).ok_or(UNBALANCED)?;
                Value::Tuple(stack.split_off(first))
            }
            b'Q' => storage(pop(&mut stack)?)?,
            b'R' => {
                let (arguments, function) = (pop(&mut stack)?, pop(&mut stack)?);
                built(function, arguments)?
            }
            other => return Err(format!("its pickle has the instruction {other:#04x}")),
        };
        stack.push(value);
    }
    Err("its pickle is too long".into())
}

const UNBALANCED: &str = "its pickle takes more than it has put";

fn pop(stack: &mut Vec<Value>) -> Result<Value, String> {
    Ok(stack.pop().ok_or(UNBALANCED)?)
}

/// What lies above the last mark.
fn above(stack: &mut Vec<Value>, marks: &mut Vec<usize>) -> Result<Vec<Value>, String> {
    let mark = marks.pop().filter(|&mark| mark <= stack.len()).ok_or(UNBALANCED)?;
    Ok(stack.split_off(mark))
}

/// Adds keys and values, one after the other, to the dictionary on top.
fn insert(stack: &mut [Value], entries: Vec<Value>) -> Result<(), String> {
    let Some(Value::Dictionary(dictionary)) = stack.last_mut() else {
        return Err("it adds entries to what is no dictionary".into());
    };
    let mut entries = entries.into_iter();
    while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
        dictionary.push((key, value));
    }
    Ok(())
}

/// The storage of ("storage", type, key, place, count).
fn storage(value: Value) -> Result<Value, String> {
    let Value::Tuple(parts) = value else { return Err("it names a storage by less than a tuple".into()) };
    match parts.as_slice() {
        [Value::Text(_), Value::Global(kind), Value::Text(key), ..] if kind == STORAGE => {
            Ok(Value::Storage(key.clone()))
        }
        [_, Value::Global(kind), ..] => Err(format!("its numbers are a {kind}, not a {STORAGE}")),
        _ => Err("it names a storage in another way".into()),
    }
}

/// What a function makes of its arguments; two are known.
fn built(function: Value, arguments: Value) -> Result<Value, String> {
    match (function, arguments) {
        (Value::Global(name), Value::Tuple(_)) if name == DICTIONARY => Ok(Value::Dictionary(Vec::new())),
        (Value::Global(name), Value::Tuple(parts)) if name == TENSOR => match parts.as_slice() {
            [Value::Storage(key), Value::Count(offset), Value::Tuple(shape), Value::Tuple(strides), ..] => {
                let (shape, strides) = (counts(shape)?, counts(strides)?);
                if !is_contiguous(&shape, &strides) {
                    return Err("the numbers of a tensor do not lie row after row".into());
                }
                Ok(Value::Tensor(Tensor {
                    name: String::new(),
                    storage: key.clone(),
                    offset: *offset,
                    shape,
                }))
            }
            _ => Err("a tensor is described in another way".into()),
        },
        (Value::Global(name), _) => Err(format!("it asks for {name}, which is not executed")),
        _ => Err("it calls what is no function".into()),
    }
}

fn counts(values: &[Value]) -> Result<Vec<usize>, String> {
    let count = |value: &Value| match value {
        Value::Count(count) => Ok(*count),
        _ => Err("a size is no number".to_owned()),
    };
    values.iter().map(count).collect()
}

/// Whether strides are those of rows one after the other; that of an axis of length 1 says nothing.
fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = Some(1_usize);
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(&length, &stride)| {
            let fits = length == 1 || expected == Some(stride);
            expected = expected.and_then(|expected| expected.checked_mul(length));
            fits
        })
}

fn text(bytes: &[u8]) -> Result<String, String> {
    Ok(std::str::from_utf8(bytes).map_err(|_| "a name in its pickle is no text")?.to_owned())
}

/// The rest of the bytes.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("its pickle ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?.iter().copied().next().unwrap_or_default())
    }

    fn word(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    fn line(&mut self) -> Result<String, String> {
        let length = self.0.iter().position(|&byte| byte == b'\n').ok_or("its pickle ends too early")?;
        let line = text(self.take(length)?);
        self.take(1)?;
        line
    }
}
