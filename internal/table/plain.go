package table

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Plain turns the headers of a message into values that a person reads: times are RFC 3339, bytes are base64, and a
// decimal is its digits. What type they had is lost.
func Plain(t amqp.Table) map[string]any {
	m := make(map[string]any, len(t))
	for name, value := range t {
		m[name] = plainValue(value)
	}
	return m
}

func plainValue(value any) any {
	switch v := value.(type) {
	case amqp.Table:
		return Plain(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainValue(v[i])
		}
		return list
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case amqp.Decimal:
		return decimal(v)
	case float32:
		return finite(float64(v))
	case float64:
		return finite(v)
	default:
		return v // bool, string, nil and the integers
	}
}

// finite passes a number on, and as text what is none.
func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}
