//! The fields of the CreateTrainingJob request as data: names, types, and which of them the API requires.
//!
//! They are read off the types of [`request`](super::request): a deserializer records what the types ask it for, and
//! answers with a value of that type.

use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::request::CreateTrainingJobRequest;

/// The type of a field's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldShape {
    #[default]
    Text,
    Boolean,
    /// An integer of at most this size.
    Integer(i64),
    List(Box<FieldShape>),
    /// A table with arbitrary keys, and values of one type.
    Map(Box<FieldShape>),
    Structure(Vec<RequestField>),
}

/// A field of the request, or of a structure in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestField {
    pub(crate) name: &'static str,
    pub(crate) is_required: bool,
    pub(crate) shape: FieldShape,
}

/// Returns the fields of the request.
pub(crate) fn request_fields() -> Vec<RequestField> {
    let mut request = ShapeRecorder::default();
    CreateTrainingJobRequest::deserialize(&mut request).expect("the recorder answers every type of the request");
    match request.shape {
        FieldShape::Structure(fields) => fields,
        _ => Vec::new(),
    }
}

/// A deserializer that records the type of one value.
#[derive(Default)]
struct ShapeRecorder {
    is_optional: bool,
    shape: FieldShape,
}

impl<'de> Deserializer<'de> for &mut ShapeRecorder {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no field of the request is of any type"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is_optional = true;
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.shape = FieldShape::Boolean;
        visitor.visit_bool(false)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.shape = FieldShape::Integer(i64::from(i32::MAX));
        visitor.visit_i32(0)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.shape = FieldShape::Integer(i64::MAX);
        visitor.visit_i64(0)
    }

    /// Records a text. The answer is a valid name of a job too.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.shape = FieldShape::Text;
        visitor.visit_str("x")
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = OneItem::default();
        let value = visitor.visit_seq(&mut item)?;
        self.shape = FieldShape::List(Box::new(item.recorder.shape));
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = OneItem::default();
        let value = visitor.visit_map(&mut item)?;
        self.shape = FieldShape::Map(Box::new(item.recorder.shape));
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut all = AllFields { names, fields: Vec::new() };
        let value = visitor.visit_map(&mut all)?;
        self.shape = FieldShape::Structure(all.fields);
        Ok(value)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
        ignored_any
    }
}

/// A list or a map of one item.
#[derive(Default)]
struct OneItem {
    is_told: bool,
    recorder: ShapeRecorder,
}

impl<'de> SeqAccess<'de> for &mut OneItem {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if std::mem::replace(&mut self.is_told, true) {
            return Ok(None);
        }
        seed.deserialize(&mut self.recorder).map(Some)
    }
}

impl<'de> MapAccess<'de> for &mut OneItem {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if std::mem::replace(&mut self.is_told, true) {
            return Ok(None);
        }
        seed.deserialize(key("x")).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(&mut self.recorder)
    }
}

/// A structure with every field that it can have.
struct AllFields {
    names: &'static [&'static str],
    fields: Vec<RequestField>,
}

impl<'de> MapAccess<'de> for &mut AllFields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let next = self.names.get(self.fields.len());
        next.map(|name| seed.deserialize(key(name))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let mut recorder = ShapeRecorder::default();
        let value = seed.deserialize(&mut recorder)?;
        let name = self.names.get(self.fields.len()).copied().unwrap_or_default();
        self.fields.push(RequestField { name, is_required: !recorder.is_optional, shape: recorder.shape });
        Ok(value)
    }
}

fn key(name: &str) -> StrDeserializer<'_, Error> {
    name.into_deserializer()
}

#[cfg(test)]
mod tests {
    use super::{FieldShape, request_fields};

    #[test]
    fn the_fields_are_those_of_the_types() {
        let fields = request_fields();
        assert_eq!(fields.len(), 28);
        let required: Vec<&str> = fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
        assert_eq!(required, ["TrainingJobName", "RoleArn", "OutputDataConfig"]);
        let shape = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.shape.clone());
        assert_eq!(shape("Environment"), Some(FieldShape::Map(Box::new(FieldShape::Text))));
        assert_eq!(shape("EnableManagedSpotTraining"), Some(FieldShape::Boolean));
        let Some(FieldShape::Structure(resources)) = shape("ResourceConfig") else { panic!("no structure") };
        let volume = resources.iter().find(|field| field.name == "VolumeSizeInGB").map(|field| &field.shape);
        assert_eq!(volume, Some(&FieldShape::Integer(2_147_483_647)));
        let is_list = |shape: Option<FieldShape>| matches!(shape, Some(FieldShape::List(_)));
        assert!(is_list(shape("Tags")) && is_list(shape("InputDataConfig")));
    }
}
