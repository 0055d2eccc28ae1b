package main

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tenantsync/internal/config"
)

// newLogger writes log records to w: one JSON object a line, or columns for a
// person. Control characters in values are escaped by the encoder.
func newLogger(w io.Writer, level config.LogLevel, format config.LogFormat) *zap.Logger {
	settings := zap.NewProductionEncoderConfig()
	settings.EncodeTime = zapcore.RFC3339TimeEncoder
	settings.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(settings)
	if format == config.TextFormat {
		settings.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(settings)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), zapLevel(level)))
}

func zapLevel(level config.LogLevel) zapcore.Level {
	switch level {
	case config.Debug:
		return zapcore.DebugLevel
	case config.Warn:
		return zapcore.WarnLevel
	case config.Error:
		return zapcore.ErrorLevel
	}
	return zapcore.InfoLevel
}
