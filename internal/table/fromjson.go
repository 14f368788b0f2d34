package table

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// deepest is how deep tables and lists may be nested: the Go library takes no message apart that has more.
const deepest = 32

// FromJSON makes a message's headers of JSON's text: what JSON wrote, or anything else of which AMQP can make a table.
// The error names the header that it is about.
func FromJSON(text []byte) (amqp.Table, error) {
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a float64 would lose the digits of long integers, and what is an integer
	if err := decoder.Decode(&object); err != nil {
		return nil, fmt.Errorf("headers: not an object: %.40s", text)
	}
	return fromObject(object, "headers", 0)
}

func fromObject(object map[string]any, path string, depth int) (amqp.Table, error) {
	if depth > deepest {
		return nil, fmt.Errorf("headers: more than %d tables and lists within each other", deepest)
	}
	t := make(amqp.Table, len(object))
	for name, value := range object {
		path := path + "." + name
		name, err := nameFromJSON(name)
		if err != nil {
			return nil, fmt.Errorf("%.80s: %w", path, err)
		}
		if t[name], err = fromValue(value, path, depth); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func fromValue(value any, path string, depth int) (any, error) {
	switch v := value.(type) {
	case json.Number:
		n, err := fromNumber(v.String())
		if err != nil {
			return nil, fmt.Errorf("%.80s: %w", path, err)
		}
		return n, nil
	case []any:
		if depth >= deepest {
			return nil, fmt.Errorf("headers: more than %d tables and lists within each other", deepest)
		}
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = fromValue(v[i], fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		if name, said := saysType(v); said {
			of, err := fromTyped(name, v[name])
			if err != nil {
				return nil, fmt.Errorf("%.80s: %w", path, err)
			}
			return of, nil
		}
		return fromObject(v, path, depth+1)
	default:
		return v, nil // bool, string, nil
	}
}

// fromNumber tells integers from floats as JavaScript doesn't: a float has a point or an exponent.
func fromNumber(digits string) (any, error) {
	if strings.ContainsAny(digits, ".eE") {
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return nil, fmt.Errorf("%.40s is beyond what a float can hold", digits)
		}
		return f, nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%.40s is beyond the integers of 64 bits", digits)
	}
	return n, nil
}

// saysType says whether an object is a value of a type that JSON lacks: it has one name, which begins with "@".
func saysType(object map[string]any) (name string, said bool) {
	if len(object) != 1 {
		return "", false
	}
	for name = range object {
	}
	return name, strings.HasPrefix(name, "@") && !strings.HasPrefix(name, encoded)
}

func fromTyped(name string, value any) (any, error) {
	s, isText := value.(string)
	switch {
	case name == timestamp:
		return ParseTime(value)
	case !isText:
		return nil, fmt.Errorf("%s takes text in quotes", name)
	case name == binary || name == text:
		b, err := base64.StdEncoding.DecodeString(s)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %.40q is not base64", name, s)
		case name == text:
			return string(b), nil
		}
		return b, nil
	case name == fixed:
		return parseDecimal(s)
	case name == float:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %.40q is not a number", name, s)
		}
		return f, nil
	}
	return nil, fmt.Errorf("%.40s is no type; a table with such a name writes it as %s and its base64", name, encoded)
}

// ParseTime reads what Time has written.
func ParseTime(value any) (time.Time, error) {
	switch v := value.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return t.UTC(), nil
		}
		return time.Time{}, fmt.Errorf("%.40q is not a time such as 2026-11-21T10:00:00Z", v)
	case json.Number:
		if seconds, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return time.Unix(seconds, 0).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("a time is text such as 2026-11-21T10:00:00Z, or whole seconds since 1970")
}

// parseDecimal reads the digits of an AMQP decimal.
func parseDecimal(s string) (amqp.Decimal, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	value, err := strconv.ParseInt(whole+fraction, 10, 32)
	if err != nil || len(fraction) > math.MaxUint8 || strings.ContainsAny(fraction, "+-") {
		return amqp.Decimal{}, fmt.Errorf("%s: %.40q is not a decimal of 32 bits", fixed, s)
	}
	return amqp.Decimal{Scale: uint8(len(fraction)), Value: int32(value)}, nil
}

// nameFromJSON is the name of a field, which has at most 255 bytes (AMQP 0-9-1, section 4.2.5.3).
func nameFromJSON(name string) (string, error) {
	if in64, ok := strings.CutPrefix(name, encoded); ok {
		b, err := base64.StdEncoding.DecodeString(in64)
		if err != nil {
			return "", fmt.Errorf("not base64 after %s", encoded)
		}
		name = string(b)
	}
	if len(name) > 255 {
		return "", fmt.Errorf("a name has at most 255 bytes, not %d", len(name))
	}
	return name, nil
}
