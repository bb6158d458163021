# The image of every process of the bank: web, worker, beat, consumers, migrations.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/app/staticfiles
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bank
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# collectstatic reads the settings but talks to nobody; these values exist in this one layer's command only.
RUN SECRET_KEY=build JWT_SECRET=build PII_INDEX_KEY=build PII_KEYSET_FILE=/dev/null \
    DATABASE_URL=postgres://build@build/build REDIS_URL=redis://build CELERY_BROKER_URL=redis://build \
    KAFKA_BOOTSTRAP_SERVERS=build:9092 EMAIL_URL=smtp://build EMAIL_FROM=build@build \
    python manage.py collectstatic --noinput
USER bank
ENV PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
CMD ["deploy/web"]
